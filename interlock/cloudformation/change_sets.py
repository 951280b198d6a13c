"""From a checked request to an executable change set; from a stack that never came to be to a fresh start."""

from interlock.cloudformation.aws_errors import NO_SUCH_CHANGE_SET, recovery_of
from interlock.cloudformation.gateway import CloudFormation, Guard
from interlock.cloudformation.hints import hint_for
from interlock.cloudformation.polling import Pauses, Waiting, first_answer
from interlock.cloudformation.requests import CheckedRequest
from interlock.errors import (
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    StackBusyError,
    StackNeedsRecoveryError,
)
from interlock.models.environment import Environment
from interlock.models.stack import ChangeSet, Stack

NAME_PREFIX = "interlock-"
MAKING = Pauses(first_seconds=0.2, longest_seconds=2, patience_seconds=15 * 60)
REMOVING = Pauses(first_seconds=0.5, longest_seconds=5, patience_seconds=60 * 60)

_FIRST_LOOKS_SECONDS = 10
"""A change set just asked for may be "not found" for this long: reads are eventually consistent."""


def name_of(correlation_id: str, attempt: int = 1) -> str:
    """A deployment's change set has one name, so that asking twice for it finds the first.

    Only when it is meant to be made anew, after an approval, has it another: CloudFormation answers a call that it
    knows by its name and token with what it made then.
    """
    return f"{NAME_PREFIX}{correlation_id}{f'-{attempt}' if attempt > 1 else ''}"


def make(
    gateway: CloudFormation,
    environment: Environment,
    checked: CheckedRequest,
    *,
    stack: Stack | None,
    correlation_id: str,
    guard: Guard,
    attempt: int = 1,
    waiting: Waiting | None = None,
    pauses: Pauses = MAKING,
) -> ChangeSet:
    """The deployment's change set, made: either executable, or `is_empty` (nothing to change; removed again).

    Give as `stack` what `recreate` returned. Called again after a crash, it finds the one that it made.

    Raises:
        CloudFormationRefusedError: it cannot be made; the message is CloudFormation's reason, `next_step` a hint.
        CloudFormationUnavailableError: it was not made within `pauses.patience_seconds`.
    """
    arn = gateway.create_change_set(
        environment,
        name=name_of(correlation_id, attempt),
        template=checked.template,
        parameters=checked.parameters,
        capabilities=checked.capabilities,
        tags=checked.tags,
        stack=stack,
        token=correlation_id,
        description=f"Interlock deployment {correlation_id} of {environment.name}",
        guard=guard,
        attempt=attempt,
    )
    made = _read_when_made(gateway, arn, environment, pauses, waiting or Waiting())
    if made.is_empty:
        gateway.delete_change_set(arn, guard=guard)
    elif not made.is_executable:
        raise _refusal(made, environment)
    return made


def recreate(
    gateway: CloudFormation,
    stack: Stack | None,
    *,
    environment: Environment,
    correlation_id: str,
    guard: Guard,
    waiting: Waiting | None = None,
    pauses: Pauses = REMOVING,
) -> Stack | None:
    """The stack to make a change set for: None when it is absent, or was never created and has been removed.

    A stack in `REVIEW_IN_PROGRESS` is used as it is, without the change sets that earlier deployments left on it. One
    that exists is returned untouched.

    Raises:
        StackBusyError: an operation runs on it, or its removal took longer than `pauses.patience_seconds`.
        StackNeedsRecoveryError: no deployment can start from its status; `next_step` says what to do.
    """
    if stack is None or stack.state.is_gone:
        return None
    if stack.state.is_in_progress:
        raise _busy(stack, environment)
    if stack.state.is_review:
        return _without_old_change_sets(gateway, stack, environment, correlation_id, guard)
    if stack.state.is_never_created:
        gateway.delete_stack(stack.stack_id, token=f"{correlation_id}-recreate", guard=guard)
        _wait_until_gone(gateway, stack, environment, pauses, waiting or Waiting())
        return None
    if stack.state.needs_recovery:
        raise _in_need_of_recovery(stack, environment)
    return stack


def executed(arn: str, stack: Stack) -> ChangeSet:
    """What is left of a change set that has been executed and removed: enough to find its operation by the token."""
    name = arn.split("/")[1] if "/" in arn else arn
    return ChangeSet(
        arn=arn,
        name=name,
        stack_id=stack.stack_id,
        stack_name=stack.name,
        status="CREATE_COMPLETE",
        execution_status="EXECUTE_COMPLETE",
    )


def _read_when_made(
    gateway: CloudFormation, arn: str, environment: Environment, pauses: Pauses, waiting: Waiting
) -> ChangeSet:
    asked_at = waiting.clock()

    def look() -> ChangeSet | None:
        try:
            change_set = gateway.change_set(arn)
        except CloudFormationRefusedError as refusal:
            if (
                refusal.code == NO_SUCH_CHANGE_SET
                and (waiting.clock() - asked_at).total_seconds() < _FIRST_LOOKS_SECONDS
            ):
                return None
            raise
        return None if change_set.is_being_made else change_set

    if made := first_answer(look, pauses, waiting):
        return made
    raise CloudFormationUnavailableError(
        f"The change set was not made within {pauses.patience_seconds / 60:.0f} minutes.",
        environment=environment.name,
        next_step="Nothing was changed. Look at the change set in the AWS console, then deploy again.",
    )


def _refusal(change_set: ChangeSet, environment: Environment) -> CloudFormationRefusedError:
    reason = change_set.status_reason or f"{change_set.status}, {change_set.execution_status}"
    hint = hint_for(reason)
    return CloudFormationRefusedError(
        f"The change set could not be made: {reason}",
        code="ChangeSetFailed",
        environment=environment.name,
        next_step=hint.text
        if hint
        else "Nothing was changed. Correct the template or its parameters, then deploy again.",
    )


def _without_old_change_sets(
    gateway: CloudFormation, stack: Stack, environment: Environment, correlation_id: str, guard: Guard
) -> Stack:
    # A change set just executed may still read REVIEW_IN_PROGRESS: the events know better.
    operation = gateway.latest_operation(stack)
    if operation and not operation.is_ended:
        raise _busy(stack, environment)
    for arn in gateway.change_set_arns(stack.stack_id):
        # Those of people who review by hand are left alone, and ours of this very deployment may be ready.
        if f"/{NAME_PREFIX}" in arn and f"/{name_of(correlation_id)}" not in arn:
            gateway.delete_change_set(arn, guard=guard)
    return stack


def _wait_until_gone(
    gateway: CloudFormation, stack: Stack, environment: Environment, pauses: Pauses, waiting: Waiting
) -> None:
    def look() -> bool | None:
        now = gateway.stack(stack.stack_id)
        if now and now.state.needs_recovery:
            raise _in_need_of_recovery(now, environment)
        return True if now is None or now.state.is_gone else None

    if not first_answer(look, pauses, waiting):
        raise _busy(stack, environment)


def _busy(stack: Stack, environment: Environment) -> StackBusyError:
    return StackBusyError(
        f"An operation runs on stack {stack.name} ({stack.status}).",
        environment=environment.name,
        next_step="Wait for it to end, then deploy again.",
    )


def _in_need_of_recovery(stack: Stack, environment: Environment) -> StackNeedsRecoveryError:
    reason = f": {stack.status_reason}" if stack.status_reason else "."
    return StackNeedsRecoveryError(
        f"Stack {stack.name} is in {stack.status}{reason}",
        environment=environment.name,
        next_step=recovery_of(stack.state, environment.name),
    )
