"""What the end of a stack operation means for its deployment."""

from collections.abc import Sequence

from interlock.cloudformation.failures import Failures, failures_within
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.recovery_steps import recovery_step
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.models.stack import Failure, Stack
from interlock.models.stack_status import StackStatus
from interlock.monitoring.watcher import Observation

_REASON_SHOWN = 1000


def outcome_of_operation(
    observation: Observation, stack: Stack | None, environment: Environment, gateway: CloudFormation
) -> Outcome:
    """The outcome, from the operation's events and the stack as it is afterwards (for its outputs).

    `gateway` is asked for nested stacks' events alone, and only if one of them failed.
    """
    state = StackStatus(observation.outcome or "")
    if state.is_success:
        return succeeded(stack, environment)
    failures = failures_within(gateway, observation.events)
    next_step = _next_step(state, environment, failures.of_rollback)
    return Outcome(
        status=DeploymentStatus.ROLLED_BACK if state.is_rolled_back else DeploymentStatus.FAILED,
        reason=_reason(state, failures, next_step, environment.stack_name),
        stack_status=state,
        first_cause=failures.first_cause,
        also_failed=failures.also_failed,
        rollback_failures=() if state.is_rolled_back else failures.of_rollback,
        next_step=next_step,
    )


def cancelled_outcome(outcome: Outcome) -> Outcome:
    """The same end, of an operation that a person cancelled: what did not succeed in spite of it counts as cancelled."""
    if outcome.status is DeploymentStatus.SUCCEEDED:
        return outcome.model_copy(update={"reason": "Cancelled by a person, but the stack had got there already."})
    reason = f"Cancelled by a person. The stack ended in {outcome.stack_status}."
    reason += f" {outcome.next_step}" if outcome.next_step else ""
    return outcome.model_copy(
        update={"status": DeploymentStatus.CANCELLED, "reason": reason, "first_cause": None, "also_failed": ()}
    )


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


def _next_step(state: StackStatus, environment: Environment, blocking: Sequence[Failure]) -> str | None:
    if not state.needs_recovery:
        return None
    return recovery_step(state, environment, blocking)


def _reason(state: StackStatus, failures: Failures, next_step: str | None, stack_name: str) -> str:
    cause = failures.first_cause
    parts = [
        f"The stack ended in {state}.",
        f"{_named(cause, stack_name)} failed first: {_told(cause)}" if cause else "",
        f"Also failed: {', '.join(each.name for each in failures.also_failed)}." if failures.also_failed else "",
        *(
            f"The rollback failed on {_named(each, stack_name)}: {_told(each)}"
            for each in _of_failed_rollback(state, failures)
        ),
        next_step or "",
    ]
    return " ".join(part for part in parts if part)


def _named(failure: Failure, stack_name: str) -> str:
    is_own = failure.stack_name in ("", stack_name)
    return failure.name if is_own else f"{failure.name} in the nested stack {failure.stack_name}"


def _of_failed_rollback(state: StackStatus, failures: Failures) -> Sequence[Failure]:
    """What a rollback that came to its end left behind is no part of the reason."""
    return () if state.is_rolled_back else [each for each in failures.of_rollback if each != failures.first_cause]


def _told(failure: Failure) -> str:
    return failure.reason if len(failure.reason) <= _REASON_SHOWN else f"{failure.reason[:_REASON_SHOWN]}…"
