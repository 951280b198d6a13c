"""What must be true after the play: each expectation with what was seen of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from deployments.demo.evidence import Evidence, Seen
from deployments.demo.parts import BROKEN, FAILING, FAILURE, FIRST, PARTS, SECOND
from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import NoticeKind

_BEFORE_THE_FOURTH = 3


@dataclass(frozen=True)
class Check:
    """An expectation: whether it is met, and what was seen."""

    claim: str
    is_met: bool
    seen: str


def check(evidence: Evidence) -> list[Check]:
    return list(_checks(evidence))


def _checks(evidence: Evidence) -> Iterator[Check]:
    first, second, broken = (evidence.seen[part] for part in (FIRST, SECOND, BROKEN))
    yield _succeeded("The first deployment to production succeeded", first, "CREATE_COMPLETE")
    yield _queued_behind(first, second)
    yield _was_told(second)
    yield _waited(first, second)
    yield _succeeded("... and succeeded, with its changes", second, "UPDATE_COMPLETE")
    yield _rolled_back(broken)
    yield _first_cause(broken)
    yield _exclusive(evidence)
    yield _messages(evidence, "One Slack message per deployment, the rest in its thread", _one_parent)
    yield _messages(evidence, "The first thing said of each is that it started", _starts_first)
    yield _messages(evidence, "The last thing said of each is how it ended", _ends_last)
    yield Check(
        "Slots, holds and queues are empty", not evidence.left_over, "; ".join(evidence.left_over) or "nothing is held"
    )


def _succeeded(claim: str, seen: Seen, stack_status: str) -> Check:
    record = seen.record
    changes = ", ".join(f"{count} {what.lower()}" for what, count in record.change_counts.items())
    is_met = record.status is DeploymentStatus.SUCCEEDED and record.stack_status == stack_status and bool(changes)
    return Check(claim, is_met, f"{record.status}, {record.stack_status}, changes: {changes or 'none'}")


def _queued_behind(first: Seen, second: Seen) -> Check:
    notice = second.notice(NoticeKind.QUEUED)
    holder = notice.facts.get("holder") if notice else None
    return Check(
        "The second was queued behind the first, by its name",
        holder == first.record.correlation_id,
        f"told in Slack: behind {holder}" if holder else "it was not told of a holder",
    )


def _was_told(second: Seen) -> Check:
    notice, message = second.notice(NoticeKind.QUEUED), second.reply("Deployment Queued") or ""
    facts = notice.facts if notice else {}
    told = [line.strip("• ") for line in message.splitlines() if "osition" in line or "Estimated" in line]
    has_estimate = facts.get("estimate_minutes_low") is not None and "Estimated completion" in message
    is_met = facts.get("position") == 1 and has_estimate and "Position in the queue: 1" in message
    return Check("... was told its position and an estimate", is_met, "; ".join(told) or "it was told nothing")


def _waited(first: Seen, second: Seen) -> Check:
    asked, ended, began = second.record.asked_at, first.record.finished_at, second.record.deploying_since
    is_met = ended is not None and began is not None and asked < ended <= began
    return Check(
        "... waited until the first had ended, and went on by itself",
        is_met,
        f"asked {_clock(asked)}, first ended {_clock(ended)}, second began {_clock(began)} (UTC)",
    )


def _rolled_back(broken: Seen) -> Check:
    record = broken.record
    is_met = record.status is DeploymentStatus.ROLLED_BACK and record.stack_status == "ROLLBACK_COMPLETE"
    return Check("The one to staging failed and was rolled back", is_met, f"{record.status}, {record.stack_status}")


def _first_cause(broken: Seen) -> Check:
    cause, events = broken.outcome.first_cause, [event.details for event in broken.record.events]
    failed_at = next((index for index, line in enumerate(events) if "CREATE_FAILED" in line), 0)
    before = [line for line in events[:failed_at] if line.endswith(" CREATE_COMPLETE")]
    is_named = cause.get("logical_id") == FAILING and cause.get("reason") == FAILURE
    return Check(
        "... the cause named is its fourth resource, and why",
        is_named and len(before) == _BEFORE_THE_FOURTH,
        f"{cause.get('logical_id')}, after {len(before)} were created: {cause.get('reason')}",
    )


def _exclusive(evidence: Evidence) -> Check:
    """By AWS's own account, not by ours."""
    stack = evidence.seen[FIRST].record.stack_name
    operations = [each for each in evidence.operations if each["stack"] == stack]
    executions = [each["t"] for each in evidence.executions if stack in (each["stack"] or "")]
    pairs = list(zip(operations, executions[1:], strict=False))
    is_met = len(executions) == len(operations) > 1 and all(
        before["ended"] is not None and execution >= before["ended"] for before, execution in pairs
    )
    gaps = [f"{execution - (before['ended'] or 0):.1f} s" for before, execution in pairs if before["ended"]]
    seen = f"{len(executions)} ExecuteChangeSet calls, the later one {', '.join(gaps) or '?'} after the operation's end"
    return Check("AWS saw no ExecuteChangeSet on production before the operation before it had ended", is_met, seen)


def _messages(evidence: Evidence, claim: str, judge: Callable[[Seen], tuple[bool, str]]) -> Check:
    judged = {part: judge(evidence.seen[part]) for part in PARTS}
    return Check(
        claim,
        all(is_met for is_met, _ in judged.values()),
        "; ".join(f"{part.name}: {what}" for part, (_, what) in judged.items()),
    )


def _one_parent(seen: Seen) -> tuple[bool, str]:
    return len(seen.parents) == 1 and bool(seen.replies), f"{len(seen.parents)} and {len(seen.replies)} replies"


def _starts_first(seen: Seen) -> tuple[bool, str]:
    if not seen.parents:
        return False, "nothing"
    is_oldest = all(seen.parents[0]["ts"] < reply["ts"] for reply in seen.replies)
    headline = _headline(seen.first_words)
    return is_oldest and "Deployment Started" in headline, headline


def _ends_last(seen: Seen) -> tuple[bool, str]:
    if not seen.parents or not seen.replies:
        return False, "nothing"
    words = "Complete" if seen.record.status is DeploymentStatus.SUCCEEDED else "Rolled Back"
    last, parent = _headline(seen.replies[-1]["text"]), _headline(seen.parents[0]["text"])
    return words in last and words in parent, last


def _headline(text: str) -> str:
    return text.partition("\n")[0]


def _clock(moment: datetime | None) -> str:
    return f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}" if moment else "never"
