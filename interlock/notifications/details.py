"""What each kind of notice says, from its facts: the lines that the parent and the reply in the thread share."""

from collections.abc import Callable
from typing import Protocol

from pydantic import JsonValue

from interlock.changes_hash import SHOWN
from interlock.models.notice import Notice, NoticeKind
from interlock.notifications.card import Field
from interlock.notifications.durations import duration, instant, minutes, minutes_between
from interlock.notifications.facts import Facts
from interlock.notifications.lock_details import (
    lock_of,
    locked,
    overridden,
    queued_by_lock,
    released_by_force,
    unlocked,
)
from interlock.notifications.recovery_details import recovery_ended, recovery_started

Body = tuple[Field | str, ...]

_CHANGES_SHOWN = 20
_OUTPUTS_SHOWN = 10
_BAR_WIDTH = 20
_RISK = (
    "The deployment goes on with the slot and the stack's own status alone: there is a risk of concurrent "
    "deployments until it is back. Do not start another deployment of this environment by hand."
)
_ERROR_LIMIT = 1500
_FINDINGS_SHOWN = 12
_SWEPT_SHOWN = 10


class Named(Protocol):
    """A deployment, or what else is told of."""

    @property
    def environment(self) -> str: ...
    @property
    def correlation_id(self) -> str: ...


def body_of(notice: Notice, about: Named) -> Body:
    """The paragraphs of a notice; none for the kinds whose heading says it all. Next steps name the deployment."""
    write = _BODIES.get(notice.kind)
    names: dict[str, JsonValue] = {"environment": about.environment, "correlation_id": about.correlation_id}
    return tuple(part for part in write(Facts(notice.facts | names)) if part) if write else ()


def progress_line(facts: Facts) -> str:
    """`8 of 12 resources (67 %)`, or nothing when it is not known."""
    if "total" not in facts:
        return ""
    return f"{facts.count('done')} of {facts.count('total')} resources ({facts.count('percent')} %)"


def _queued(facts: Facts) -> Body:
    is_deployment = facts.text("holder_kind") not in ("foreign", "recovery")
    policy = "A newer request of this environment would take its place." if facts.text("policy") == "latest" else ""
    follows = "Your deployment will proceed when the active deployment completes."
    if not is_deployment:
        follows = "Your deployment will proceed when that operation ends."
    if "locked_by" in facts:
        holder = _holder(facts) if "holder" in facts else ""
        return (holder, *queued_by_lock(facts), _position(facts), policy)
    return (_holder(facts), _position(facts), follows, policy)


def _holder(facts: Facts) -> str:
    if facts.text("holder_kind") == "foreign":
        opening, name = "An operation that Interlock did not start is in progress:", "Operation"
    elif facts.text("holder_kind") == "recovery":
        opening, name = "The stack's failed rollback is being continued:", "Recovery"
    else:
        opening, name = "An active deployment is in progress:", "Correlation ID"
    started = facts.text("holder_started_at")
    lines = [opening, f"• {name}: {facts.text('holder', 'unknown')}"]
    lines += [f"• Started: {instant(started)}"] if started else []
    return "\n".join([*lines, f"• Estimated completion: {_estimate(facts)}"])


def _estimate(facts: Facts) -> str:
    return minutes_between(facts.number("estimate_minutes_low"), facts.number("estimate_minutes_high"))


def _position(facts: Facts) -> Field | str:
    position = facts.count("position")
    return Field("Position in the queue", f"{position}{' (next)' if position == 1 else ''}") if position > 0 else ""


def _waiting(facts: Facts) -> Body:
    waited = facts.number("waited_minutes")
    return (
        Field("Waited", minutes(round(waited, 1))) if waited is not None else "",
        _position(facts),
        Field("Estimated completion", _estimate(facts)) if "estimate_minutes_high" in facts else "",
        *lock_of(facts),
    )


def _changes(facts: Facts) -> Body:
    changes = facts.parts("changes")
    counts = ", ".join(f"{count} {what}" for what, count in facts.part("counts").items() if count != "0")
    shown = [_change(change) for change in changes[:_CHANGES_SHOWN]]
    total = sum(int(facts.part("counts").number(what) or 0) for what, _ in facts.part("counts").items())
    return (Field("Counts", counts) if counts else "", _listed(shown, of=total))


def _change(change: Facts) -> str:
    replaced = change.text("replacement").lower()
    risk = {"true": " - will be REPLACED ⚠️", "conditional": " - may be replaced"}.get(replaced, "")
    return f"• {change.text('action', 'Change')} {_resource(change)}{risk}"


def _resource(facts: Facts) -> str:
    kind = facts.text("resource_type")
    name = facts.text("logical_id", "a resource")
    return f"{name} ({kind})" if kind else name


def _progress(facts: Facts) -> Body:
    running = ", ".join(
        f"{_resource(item)} for {duration(item.number('seconds') or 0)}" for item in facts.parts("running")
    )
    remaining = [facts.number(f"remaining_seconds_{end}") for end in ("low", "high")]
    in_units = [value / 60 if value is not None else None for value in remaining]
    known = any(value is not None for value in in_units)
    return (
        f"{_bar(facts)} {progress_line(facts)}" if progress_line(facts) else "",
        Field("Running now", running) if running else "",
        Field("Estimated remaining", minutes_between(*in_units)) if known else "",
    )


def _bar(facts: Facts) -> str:
    filled = round(min(max(facts.number("percent") or 0, 0), 100) / 100 * _BAR_WIDTH)
    return "▰" * filled + "▱" * (_BAR_WIDTH - filled)


def _stalled(facts: Facts) -> Body:
    resources = [
        f"• {_resource(item)}: running for {duration(item.number('seconds') or 0)}" for item in facts.parts("resources")
    ]
    silent = facts.number("silent_seconds")
    events = (
        f"no events for {silent:.0f}s ({duration(silent)})"
        if silent is not None
        else "it takes longer than its resources normally need"
    )
    may = "is most likely" if facts.text("severity") == "critical" else "may be"
    return (
        f"Deployment {may} stalled - {events}",
        "\n".join(resources),
        _diagnosis(facts),
        Field("What to do", _stall_hint(facts)),
    )


def _stall_hint(facts: Facts) -> str:
    choice = f"Wait, for nothing was stopped; or `interlock cancel {facts.text('correlation_id')}`."
    return facts.lines("hint")[:_ERROR_LIMIT] or f"Look at what is named here in the AWS console. {choice}"


def _monitor_gap(facts: Facts) -> Body:
    seconds = facts.number("seconds")
    length = f" for {duration(seconds)}" if seconds is not None else ""
    return (f"The deployment was not watched{length}. The monitor was restarted and the deployment goes on.",)


def _degraded(facts: Facts) -> Body:
    what = facts.text("what", "the registry")
    return (
        f"Unavailable: {what}.",
        _RISK,
    )


def _adopted(_: Facts) -> Body:
    return (
        "The process that ran this deployment died; another one took over its operation and follows it to the end.",
    )


def _succeeded(facts: Facts) -> Body:
    outputs = facts.part("outputs").items()
    listed = "\n".join(f"• {name}: {value}" for name, value in outputs[:_OUTPUTS_SHOWN])
    return (
        "Nothing to change: the stack already matches the template." if facts.flag("no_changes") else "",
        f"Outputs:\n{listed}" if listed else "",
    )


def _failed(facts: Facts) -> Body:
    cause = facts.part("first_cause")
    reason, hint = cause.lines("reason"), cause.lines("hint")
    return (
        Field("Error", facts.lines("error")[:_ERROR_LIMIT] or reason[:_ERROR_LIMIT] or "unknown"),
        Field("First cause", ": ".join(part for part in (_resource(cause), reason[:_ERROR_LIMIT]) if part))
        if reason
        else "",
        Field("What to do", hint[:_ERROR_LIMIT]) if hint else "",
        _diagnosis(facts),
    )


def _diagnosis(facts: Facts) -> str:
    """What the resources' own services say."""
    lines = [f"• {line}" for line in facts.texts("diagnosis")[:_FINDINGS_SHOWN]]
    return "\n".join(["Found:", *lines]) if lines else ""


def _rolled_back(facts: Facts) -> Body:
    return (*_failed(facts), "CloudFormation rolled the stack back.")


def _timed_out(facts: Facts) -> Body:
    waited = facts.number("waited_minutes")
    after = f" {minutes(round(waited, 1))}" if waited is not None else " as long as this environment allows"
    look = f"`interlock status {facts.text('environment')}` names what holds the environment. Then deploy again."
    if facts.flag("locked"):
        look = f"Ask again when it is unlocked. `interlock locks {facts.text('environment')}` tells by whom and until when."
    return (
        f"It waited{after} for its turn, and its turn did not come. Nothing was deployed.",
        facts.lines("error")[:_ERROR_LIMIT] if facts.flag("locked") else "",
        Field("What to do", look),
    )


def _cancelled(facts: Facts) -> Body:
    return (Field("Cancelled by", facts.text("by")) if "by" in facts else "",)


def _superseded(facts: Facts) -> Body:
    return (f"A newer request took its place in the queue: {facts.text('by', 'unknown')}. Nothing was deployed.",)


def _approval_requested(facts: Facts) -> Body:
    again = "The changes are not those that were approved: the stack or the environment has changed since."
    return (
        again if facts.count("round") > 1 else "",
        *_changes(facts),
        Field("Hash of the changes", facts.text("hash")[:SHOWN], code=True),
        Field("Until", instant(facts.text("expires_at"))) if "expires_at" in facts else "",
        "Approve or deny: `interlock approve` or `interlock deny` with the correlation id, or resume the Prefect run.",
    )


def _decided(facts: Facts) -> Body:
    return (
        Field("By", facts.text("by")) if "by" in facts else "",
        Field("Reason", facts.text("reason")) if "reason" in facts else "",
    )


def _not_deployed(facts: Facts) -> Body:
    return (Field("Reason", facts.text("error")) if "error" in facts else "", "Nothing was deployed.")


def _rejected(facts: Facts) -> Body:
    why = _holder(facts) if "holder" in facts else facts.lines("error")[:_ERROR_LIMIT] or _holder(facts)
    return (
        why,
        "This environment does not queue requests. Nothing was deployed; ask again when it is free.",
    )


def _summary(facts: Facts) -> Body:
    outage, late, skipped = facts.number("outage_minutes"), facts.count("missed"), facts.count("skipped")
    lasted = f" for about {minutes(round(outage))}" if outage is not None else ""
    dropped = (
        f" {skipped} progress update{'s were' if skipped != 1 else ' was'} out of date and left out." if skipped else ""
    )
    late_ones = (
        f"{late} message{'s' if late != 1 else ''} about this deployment came late" if late else "nothing was lost"
    )
    said = f"Slack could not be reached{lasted}: {late_ones}.{dropped} The deployment itself was not affected."
    listed = [f"• {instant(each.text('at'))}: {each.text('title')}" for each in facts.parts("late")]
    return (said, f"When it happened:\n{_listed(listed, of=late)}" if listed else "")


def _swept(facts: Facts) -> Body:
    findings = facts.parts("findings")
    listed = [f"• {_finding(each)}" for each in findings[:_SWEPT_SHOWN]]
    return (_listed(listed, of=len(findings)), "Each deployment's own message tells the rest.")


def _finding(facts: Facts) -> str:
    of = facts.text("correlation_id")
    return f"{f'{of}: ' if of else ''}{facts.text('found')}: {facts.text('done')}"


def _listed(lines: list[str], *, of: int) -> str:
    """The lines, and how many more there are."""
    more = [f"and {of - len(lines)} more"] if of > len(lines) > 0 else []
    return "\n".join([*lines, *more])


_BODIES: dict[NoticeKind, Callable[[Facts], Body]] = {
    NoticeKind.QUEUED: _queued,
    NoticeKind.WAITING: _waiting,
    NoticeKind.CHANGES: _changes,
    NoticeKind.PROGRESS: _progress,
    NoticeKind.STALLED: _stalled,
    NoticeKind.MONITOR_GAP: _monitor_gap,
    NoticeKind.DEGRADED: _degraded,
    NoticeKind.ADOPTED: _adopted,
    NoticeKind.SUCCEEDED: _succeeded,
    NoticeKind.FAILED: _failed,
    NoticeKind.ROLLED_BACK: _rolled_back,
    NoticeKind.TIMED_OUT: _timed_out,
    NoticeKind.CANCELLED: _cancelled,
    NoticeKind.SUPERSEDED: _superseded,
    NoticeKind.REJECTED: _rejected,
    NoticeKind.LOCK_OVERRIDDEN: overridden,
    NoticeKind.RELEASED_BY_FORCE: released_by_force,
    NoticeKind.RECOVERY_STARTED: recovery_started,
    NoticeKind.RECOVERY_ENDED: recovery_ended,
    NoticeKind.APPROVAL_REQUESTED: _approval_requested,
    NoticeKind.APPROVED: _decided,
    NoticeKind.DENIED: _not_deployed,
    NoticeKind.EXPIRED: _not_deployed,
    NoticeKind.SUMMARY: _summary,
    NoticeKind.LOCKED: locked,
    NoticeKind.UNLOCKED: unlocked,
    NoticeKind.SWEPT: _swept,
}
