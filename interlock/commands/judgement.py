"""What the end of a command and the end of its stack's operation mean together."""

from datetime import datetime

from interlock.cloudformation.gateway import CloudFormation
from interlock.commands.operation import Seen
from interlock.commands.running import Ending
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.monitoring.event_log import EventLog
from interlock.monitoring.watcher import Observation
from interlock.operation_outcome import outcome_of_operation, succeeded

_LAST_WORDS = 2_000
_UNSEEN_END = "The command's own end was not seen, its process died; but the stack's operation ended well."
_KILLED_EARLY = "The command was killed before it changed the stack."


def outcome_of_command(
    ending: Ending | None,
    seen: Seen,
    environment: Environment,
    gateway: CloudFormation,
    *,
    had_stack: bool,
    now: datetime,
) -> Outcome:
    """The outcome, once no operation runs. `ending` is None where nobody saw the command's end: its process was killed."""
    if seen.status is None:
        return _without_operation(ending, seen, environment, had_stack=had_stack)
    observation = Observation(observed_at=now, events=EventLog(list(seen.events)), outcome=seen.status)
    outcome = outcome_of_operation(observation, seen.stack, environment, gateway)
    if outcome.status is not DeploymentStatus.SUCCEEDED or (ending and ending.is_well):
        return outcome
    if ending is None:
        return outcome.model_copy(update={"reason": _UNSEEN_END})
    reason = f"The stack ended in {seen.status}, but not all went well. {_told(ending)}"
    return outcome.model_copy(update={"status": DeploymentStatus.FAILED, "reason": reason})


def _without_operation(ending: Ending | None, seen: Seen, environment: Environment, *, had_stack: bool) -> Outcome:
    """Nothing to change, for a command that ended well; provided that there is a stack which it left as it is."""
    status = seen.stack.status if seen.stack else None
    if ending is None:
        return Outcome(status=DeploymentStatus.FAILED, reason=_KILLED_EARLY, stack_status=status)
    if not ending.is_well:
        return Outcome(status=DeploymentStatus.FAILED, reason=_told(ending), stack_status=status)
    if seen.stack is None:
        return Outcome(status=DeploymentStatus.FAILED, reason=_without_stack(environment, had_stack=had_stack))
    return succeeded(seen.stack, environment, no_changes=True)


def _without_stack(environment: Environment, *, had_stack: bool) -> str:
    what = "is gone" if had_stack else "does not exist: it deploys another one, or another region's"
    return (
        f"The command ended well, but the stack {environment.stack_name} in {environment.region} {what}. "
        "Make the command deploy this environment's stack ({stack_name}, {region}), then deploy again."
    )


def _told(ending: Ending) -> str:
    last = "\n".join(ending.last_lines)[-_LAST_WORDS:]
    return f"{ending.in_words}\n{last}" if last else ending.in_words
