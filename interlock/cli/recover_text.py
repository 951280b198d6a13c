"""What `interlock recover` prints: what blocks a rollback, the operation's lines, and the whole as one document."""

from typing import TYPE_CHECKING, Any

import click

from interlock.cli.text import instant, one_line
from interlock.errors import ExitCode

if TYPE_CHECKING:
    from interlock.blocked_rollback import BlockedRollback, Blocker
    from interlock.models.stack import StackEvent

_STATUSES = {
    ExitCode.SUCCEEDED: "RECOVERED",
    ExitCode.ALREADY_IN_PROGRESS: "BUSY",
    ExitCode.INVALID_REQUEST: "INVALID",
    ExitCode.STILL_RUNNING: "STILL_RUNNING",
}
"""Every other exit code is a failure."""

_WHAT_IT_DOES = (
    "Continuing tries each of them again, back to what they were before the update: repair what blocks, then continue.",
    "A resource that is skipped is left as it is, and CloudFormation takes it for rolled back. It then differs from the",
    "template, and the next update may fail on it: repair it, or the template, before you deploy.",
)


def blocked_lines(blocked: "BlockedRollback") -> list[str]:
    stack = f"Stack {blocked.stack.name} ({blocked.environment}) is in {blocked.stack.status}."
    if not blocked.blockers:
        why = f" {one_line(blocked.stack.status_reason)}" if blocked.stack.status_reason else ""
        return [f"{stack} Its events do not tell what blocks the rollback.{why}", ""]
    shown = [line for each in blocked.blockers for line in _blocker_lines(each)]
    return [f"{stack} What blocks its rollback:", "", *shown, *_WHAT_IT_DOES, ""]


def event_line(event: "StackEvent") -> str:
    what = one_line(f"{event.logical_id} ({event.resource_type})")
    reason = f": {one_line(event.reason)}" if event.reason else ""
    return f"{event.timestamp:%H:%M:%S}  {what}  {event.status}{reason}"


def document(told: dict[str, Any]) -> dict[str, Any]:
    """`told`: the environment, what was to be skipped, and as much as came of it."""
    blocked, recovered = told.get("blocked"), told.get("recovered")
    code = told.get("exit_code", ExitCode.FAILED)
    status = recovered.status if recovered else blocked.stack.status if blocked else None
    return {
        "environment": told["environment"],
        "status": _STATUSES.get(code, "FAILED"),
        "exit_code": int(code),
        "reason": told.get("reason"),
        "recovery_id": recovered.recovery_id if recovered else None,
        "stack_name": blocked.stack.name if blocked else None,
        "stack_status": str(status) if status else None,
        "skipped": told["skipped"],
        "blocking": [] if recovered and recovered.is_well else _blocking(blocked),
    }


def _blocker_lines(blocker: "Blocker") -> list[str]:
    failure = blocker.failure
    can = f"--skip {blocker.name} skips it" if blocker.can_be_skipped else "cannot be skipped"
    return [
        click.style(f"  {one_line(failure.name)}", bold=True) + f"  {failure.status}, {instant(failure.timestamp)}",
        f"    {one_line(failure.reason)}",
        *([f"    {one_line(failure.hint)}"] if failure.hint else []),
        f"    {can}",
        "",
    ]


def _blocking(blocked: "BlockedRollback | None") -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "can_be_skipped": each.can_be_skipped,
            **each.failure.model_dump(mode="json", exclude={"stack_id", "kind"}),
        }
        for each in (blocked.blockers if blocked else ())
    ]
