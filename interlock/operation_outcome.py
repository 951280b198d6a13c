"""What the end of a stack operation means for its deployment."""

from interlock.cloudformation.aws_errors import recovery_of
from interlock.cloudformation.failures import first_cause
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.models.stack import Failure, Stack
from interlock.models.stack_status import StackStatus
from interlock.monitoring.watcher import Observation


def outcome_of_operation(observation: Observation, stack: Stack | None, environment: Environment) -> Outcome:
    """The outcome, from the operation's events and the stack as it is afterwards (for its outputs)."""
    state = StackStatus(observation.outcome or "")
    if state.is_success:
        return succeeded(stack, environment)
    cause = first_cause(observation.events)
    status = DeploymentStatus.ROLLED_BACK if state.is_rolled_back else DeploymentStatus.FAILED
    return Outcome(status=status, reason=_reason(state, cause), stack_status=state, first_cause=cause)


def cancelled_outcome(outcome: Outcome) -> Outcome:
    """The same end, of an operation that a person cancelled: what did not succeed in spite of it counts as cancelled."""
    if outcome.status is DeploymentStatus.SUCCEEDED:
        return outcome.model_copy(update={"reason": "Cancelled by a person, but the stack had got there already."})
    reason = f"Cancelled by a person. The stack ended in {outcome.stack_status}."
    return outcome.model_copy(update={"status": DeploymentStatus.CANCELLED, "reason": reason, "first_cause": None})


def succeeded(stack: Stack | None, environment: Environment, *, no_changes: bool = False) -> Outcome:
    outputs = stack.outputs if stack else {}
    return Outcome(
        status=DeploymentStatus.SUCCEEDED,
        reason="There was nothing to change." if no_changes else None,
        stack_status=stack.status if stack else None,
        no_changes=no_changes,
        outputs=outputs,
        application_url=outputs.get(environment.application_url_output or ""),
    )


def _reason(state: StackStatus, cause: Failure | None) -> str:
    what = f"The stack ended in {state}."
    why = f" {cause.logical_id} ({cause.resource_type}) failed first: {cause.reason}" if cause else ""
    next_step = f" {recovery_of(state)}" if state.needs_recovery else ""
    return what + why + next_step
