"""One page per deployment, in Markdown: how it ended and why, what to do next, what changed, and how it went."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interlock.markdown import cell, code, escaped, link, words
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.outcome import Outcome
from interlock.models.stack_status import StackStatus
from interlock.notifications.durations import duration

_MARKS = {0: "✅", 4: "⚪"}
_OTHER_MARK = "❌"
_UNDER_WAY_MARK = "🛠️"
_MOST_EVENTS = 60
"""A page for people; the record has them all (`interlock show`)."""
_STATUS = re.compile(r"\b[A-Z]+_[A-Z_]+\b")
_THEN = "Correct what failed, then deploy again; *Retry* on the run's page asks for the same once more."
_AS_BEFORE = "The stack is as it was before."
_NEVER_CREATED = "The stack was never created: the next deployment removes what is left of it, and creates it."


def summary_page(
    deployment: Deployment,
    outcome: Outcome | None,
    *,
    changes: Sequence[Mapping[str, Any]] = (),
    slack_thread_url: str | None = None,
) -> str:
    """For the Prefect UI. Whatever comes from outside is code or escaped: none of it becomes markup.

    `outcome` is None while there is none yet. `changes` are those that were announced, each with `action`, `logical_id`,
    `resource_type` and `replacement`; they may be fewer than the record counts.
    """
    parts = [_heading(deployment, outcome), *(_why(outcome) if outcome else ())]
    parts += [*_links(deployment, slack_thread_url), *_facts(deployment), *_changes(deployment, outcome, changes)]
    parts += [*(_outputs(outcome) if outcome else ()), *_timeline(deployment.events)]
    return "\n".join([*parts, ""])


def _heading(deployment: Deployment, outcome: Outcome | None) -> str:
    if outcome is None:
        return f"# {_UNDER_WAY_MARK} {escaped(deployment.environment)}: under way"
    mark = _MARKS.get(int(outcome.exit_code), _OTHER_MARK)
    return f"# {mark} {escaped(deployment.environment)}: {escaped(outcome.title)}"


def _why(outcome: Outcome) -> Iterator[str]:
    cause = outcome.first_cause
    if cause:
        yield f"\n**First cause:** {code(cause.logical_id)} ({code(cause.resource_type)}): {code(cause.reason)}"
    elif outcome.reason and not outcome.problems:
        yield f"\n{words(outcome.reason)}"
    yield from (f"- {code(problem)}" for problem in outcome.problems)
    if outcome.also_failed:
        yield f"\n**Also failed:** {', '.join(code(each.name) for each in outcome.also_failed)}"
    yield from (f"\n**Found:** {words(each.text)} {link('Look', each.url) or ''}".rstrip() for each in outcome.findings)
    if step := _next_step(outcome):
        yield f"\n**What to do:** {step}"


def _next_step(outcome: Outcome) -> str | None:
    """None where there is nothing to do, or where the reason says it already."""
    hint = outcome.first_cause.hint if outcome.first_cause else None
    known = outcome.next_step if outcome.first_cause else None  # without a cause the reason is shown, and ends with it
    told = " ".join(words(each) for each in (hint, known) if each)
    if told or outcome.status is not DeploymentStatus.ROLLED_BACK:
        return told or None
    was_never_created = StackStatus(outcome.stack_status or "").is_never_created
    return f"{_NEVER_CREATED if was_never_created else _AS_BEFORE} {_THEN}"


def _links(deployment: Deployment, slack_thread_url: str | None) -> Iterator[str]:
    found = [
        link("Application", deployment.application_url),
        link("CI run", deployment.github_run_url),
        link("Stack in the AWS console", deployment.aws_console_url),
        link("Slack thread", slack_thread_url),
    ]
    if any(found):
        yield f"\n{' · '.join(filter(None, found))}"


def _facts(deployment: Deployment) -> Iterator[str]:
    waited, ran = deployment.queue_seconds, deployment.duration_seconds
    found = [
        ("Correlation id", deployment.correlation_id),
        ("New attempt of", deployment.retry_of),
        ("Stack", deployment.stack_in_words),
        ("Stack status", deployment.stack_status),
        ("Checks and waiting", duration(waited) if waited is not None else None),
        ("Deployed for", duration(ran) if ran is not None else None),
        ("Asked for by", deployment.actor),
        ("Commit", deployment.git_sha),
    ]
    yield ""
    yield from (f"- **{label}:** {code(value)}" for label, value in found if value)


def _changes(deployment: Deployment, outcome: Outcome | None, changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if deployment.change_counts:
        counts = ", ".join(f"{count} {escaped(kind.lower())}" for kind, count in deployment.change_counts.items())
        yield f"\n## {_of_changes(outcome)}\n\n{counts}\n"
        yield from changes_in_words(deployment, changes)


def _of_changes(outcome: Outcome | None) -> str:
    if outcome is None:
        return "What is to change"
    return "What changed" if outcome.status is DeploymentStatus.SUCCEEDED else "What was to change"


def changes_in_words(deployment: Deployment, changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The list of them, and how many more there are; for the form that asks for approval, too."""
    yield from map(_change, changes)
    if more := max(0, sum(deployment.change_counts.values()) - len(changes)):
        yield f"- and {more} more{' (artifact `interlock-changes`)' if changes else ': artifact `interlock-changes`'}"


def _change(change: Mapping[str, Any]) -> str:
    action, replaced = escaped(str(change["action"])), change.get("replacement")
    how = {"True": ", **replaced**", "Conditional": ", perhaps replaced"}.get(str(replaced), "")
    return f"- {action} {code(str(change['logical_id']))} ({code(str(change['resource_type']))}){how}"


def _outputs(outcome: Outcome) -> Iterator[str]:
    if outcome.outputs:
        yield "\n## Stack outputs\n"
        yield from (f"- **{words(name)}:** {cell(value)}" for name, value in outcome.outputs.items())


def _timeline(events: Sequence[DeploymentEvent]) -> Iterator[str]:
    """The first and the last, if there are too many: in between, resources were made."""
    left_out = max(0, len(events) - _MOST_EVENTS)
    half = _MOST_EVENTS // 2
    shown = [*events[:half], *events[-half:]] if left_out else events
    yield "\n## Timeline (UTC)\n"
    yield from map(_moment, shown)
    if left_out:
        yield f"\n{left_out} events in between are left out here."


def _moment(event: DeploymentEvent) -> str:
    """A line of a list: Prefect's pages do not break the cells of a table, and long ones cannot be read."""
    name = "" if _says_its_name(event) else f"**{words(event.event.replace('_', ' ').capitalize())}.** "
    return f"- {event.timestamp:%H:%M:%S} {name}{words(event.details)}".rstrip()


def _says_its_name(event: DeploymentEvent) -> bool:
    """`SQS_QUEUE_CREATE_COMPLETE`, of which the details are `R0 (AWS::SQS::Queue) CREATE_COMPLETE`."""
    return any(event.event.endswith(status) for status in _STATUS.findall(event.details))
