"""A stack whose rollback failed, as a person must see it: what blocks it, and what of that could be skipped."""

from collections.abc import Sequence

from interlock.cloudformation.aws_errors import recovery_of
from interlock.cloudformation.failures import failures_within
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.recovery_steps import can_be_skipped, name_to_skip
from interlock.errors import EnvironmentBusyError, InvalidRequestError, NothingToRecoverError
from interlock.models.base import Value
from interlock.models.environment import Environment
from interlock.models.stack import Failure, Stack

WITHHELD = "(not shown: it may quote a secret of a deployment; the AWS console has it)"

_MOST_SHOWN = 100
"""All, within reason: what is not shown cannot be skipped."""


class Blocker(Value):
    """A resource that the rollback failed on. `name` is what CloudFormation calls it in `ResourcesToSkip`."""

    name: str
    can_be_skipped: bool
    failure: Failure


class BlockedRollback(Value):
    """A stack in UPDATE_ROLLBACK_FAILED. Without blockers its events do not tell."""

    environment: str
    stack: Stack
    blockers: tuple[Blocker, ...]

    @property
    def skippable(self) -> list[str]:
        return [each.name for each in self.blockers if each.can_be_skipped]

    def is_blocked_as(self, other: "BlockedRollback") -> bool:
        """By the same failures as when somebody looked before, not only by the same resources."""
        return [each.failure for each in self.blockers] == [each.failure for each in other.blockers]

    def require_skippable(self, names: Sequence[str]) -> None:
        """Raises InvalidRequestError for names that do not block, or that CloudFormation does not skip."""
        blocking = {each.name for each in self.blockers}
        wrong = [name for name in dict.fromkeys(names) if name not in self.skippable]
        if wrong:
            may = f"may be skipped: {', '.join(self.skippable)}" if self.skippable else "nothing may be skipped"
            raise InvalidRequestError(
                [
                    f"--skip {name}: {'cannot be skipped' if name in blocking else 'does not block'}; {may}"
                    for name in wrong
                ],
                environment=self.environment,
            )


def look(cloudformation: CloudFormation, environment: Environment, *, has_secrets: bool) -> BlockedRollback:
    """The stack, and what its last operation's rollback failed on.

    `has_secrets`: its deployments had some, which only their own processes know; AWS's words are then withheld.

    Raises:
        EnvironmentBusyError: an operation runs on the stack.
        NothingToRecoverError: its rollback has not failed.
    """
    stack = cloudformation.stack(environment.stack_name)
    if stack is None or not stack.state.is_failed_update_rollback:
        raise not_blocked(stack, environment)
    failures = _what_blocks(cloudformation, stack)
    blockers = [
        Blocker(
            name=name_to_skip(each, environment),
            can_be_skipped=can_be_skipped(each),
            failure=each.model_copy(update={"reason": WITHHELD, "hint": None}) if has_secrets else each,
        )
        for each in failures
    ]
    return BlockedRollback(environment=environment.name, stack=stack, blockers=tuple(blockers))


def not_blocked(stack: Stack | None, environment: Environment) -> EnvironmentBusyError | NothingToRecoverError:
    """Why there is nothing to continue, and what to do instead."""
    if stack is None:
        return NothingToRecoverError(
            f"There is no stack {environment.stack_name}.", environment=environment.name, next_step="Deploy it."
        )
    if stack.state.is_in_progress:
        return EnvironmentBusyError(
            f"An operation runs on stack {stack.name} ({stack.status}).",
            environment=environment.name,
            next_step=f"Wait for its end: `interlock status {environment.name}`.",
        )
    is_stuck = stack.state.needs_recovery or stack.state.is_never_created
    return NothingToRecoverError(
        f"Stack {stack.name} is in {stack.status}: it has no failed rollback to continue.",
        environment=environment.name,
        next_step=recovery_of(stack.state, environment.name) if is_stuck else "A deployment can start from there.",
    )


def _what_blocks(cloudformation: CloudFormation, stack: Stack) -> Sequence[Failure]:
    operation = cloudformation.latest_operation(stack)
    if operation is None:
        return ()
    events = cloudformation.events(stack.stack_id, not_before=operation.started_at)
    return failures_within(cloudformation, events, most=_MOST_SHOWN).of_rollback
