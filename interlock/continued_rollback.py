"""A failed rollback continued by a human: `interlock recover`. Promise 1 holds for it as for any deployment.

It has the environment's hold from before the call until the operation's end. Should its process die in between, the hold
runs out; whoever comes next waits while the operation runs, as for a stranger's, and frees the environment after it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from interlock.blocked_rollback import WITHHELD, BlockedRollback, look, not_blocked
from interlock.clock import Clock
from interlock.cloudformation.gateway import CloudFormation
from interlock.correlation_id import new_recovery_id
from interlock.errors import (
    CloudFormationRefusedError,
    EnvironmentBusyError,
    InterlockError,
    NotYourTurnError,
    PermanentError,
    StackBusyError,
    TemporaryError,
)
from interlock.hold_keeper import HoldKeeper
from interlock.models.environment import Environment
from interlock.models.queue import Hold
from interlock.models.stack import StackEvent
from interlock.models.stack_status import StackStatus
from interlock.monitoring.watcher import StackWatcher
from interlock.recovery_log import RecoveryLog
from interlock.registry import Registry
from interlock.several_stacks import stack_to_look_at
from interlock.timing import HOLD_LIFETIME_SECONDS

log = logging.getLogger(__name__)

Tell = Callable[[StackEvent], None]
"""Called with each line of the operation as it is read."""


@dataclass(frozen=True)
class Wish:
    """What a person wants done: which blockers to skip, who they are, and why."""

    by: str
    reason: str
    skip: Sequence[str] = ()


@dataclass(frozen=True)
class Recovered:
    """How the operation ended: the stack's status, and what blocks it now if it failed again."""

    recovery_id: str
    status: StackStatus
    still_blocked: BlockedRollback | None = None
    not_recorded: str | None = None
    """Why its end is not on record; the stack is as it is all the same."""

    @property
    def is_well(self) -> bool:
        return self.status.is_rolled_back


@dataclass(frozen=True)
class ContinuedRollback:
    """The recovery of one environment's stack. `pause` waits some seconds between two looks at the operation."""

    registry: Registry
    environment: Environment
    cloudformation: CloudFormation
    clock: Clock
    pause: Callable[[float], object]

    @property
    def log(self) -> RecoveryLog:
        return RecoveryLog(self.registry, self.environment.name, self.clock)

    def look(self) -> BlockedRollback:
        """What blocks it. Raises as `blocked_rollback.look`, and EnvironmentBusyError while somebody has the environment."""
        hold = self.registry.holds.current(self.environment.name)
        if hold and hold.is_live(self.clock()):
            raise self._busy(f"{hold.owner} has the environment.")
        return self._look()

    def carry_out(self, blocked: BlockedRollback, wish: Wish, tell: Tell) -> Recovered:
        """Continue the rollback that was looked at, and follow it to its end. An interruption leaves it to run.

        Raises:
            EnvironmentBusyError, NothingToRecoverError: the stack is no longer as it was when it was looked at.
            InvalidRequestError: what is to be skipped does not block, or cannot be skipped.
            HoldLostError: somebody took the environment by force before the call.
            CloudFormationUnavailableError: nobody can say whether it has begun.
            CloudFormationRefusedError, AwsCredentialsError, RegistryUnavailableError: it has not begun.
        """
        blocked.require_skippable(wish.skip)
        hold = self._claim()
        with HoldKeeper(self.registry, hold) as keeper:
            with self._released_after(hold, InterlockError):
                self._prepare(blocked, wish, hold)
            # Where nobody can say whether it has begun, the hold is left to expire: until then nobody else begins.
            with self._released_after(hold, PermanentError, StackBusyError):
                self._begin(blocked, wish, keeper)
            recovered = self._follow(blocked, hold, tell)
        return self._close(recovered, hold, wish)

    def _look(self) -> BlockedRollback:
        return look(self.cloudformation, self.environment, has_secrets=self.log.has_secrets)

    def _claim(self) -> Hold:
        try:
            return self.registry.holds.claim_for_recovery(
                self.environment.name, new_recovery_id(self.clock()), lifetime_seconds=HOLD_LIFETIME_SECONDS
            )
        except NotYourTurnError as error:
            raise self._busy(error.message, error.next_step) from error

    @contextmanager
    def _released_after(self, hold: Hold, *errors: type[InterlockError]) -> Iterator[None]:
        try:
            yield
        except errors:
            self.registry.holds.release(hold)
            raise

    def _prepare(self, blocked: BlockedRollback, wish: Wish, hold: Hold) -> None:
        self._require_as_it_was(blocked)
        # On record before the call: after a crash, whoever finds the stack in motion can see whose doing it is.
        self.log.started(hold.owner or "", by=wish.by, reason=wish.reason, skipped=wish.skip)

    def _begin(self, blocked: BlockedRollback, wish: Wish, keeper: HoldKeeper) -> None:
        token = keeper.hold.owner or ""
        try:
            self.cloudformation.continue_update_rollback(
                blocked.stack.stack_id,
                token=token,
                guard=lambda: self._guard(keeper, blocked, token),
                resources_to_skip=wish.skip,
            )
        except (PermanentError, StackBusyError) as error:
            self.log.not_begun(token, by=wish.by, why=error.message)
            raise
        except TemporaryError as error:
            error.next_step = f"It may have begun: `interlock status {self.environment.name}` tells in a minute."
            raise

    def _require_as_it_was(self, blocked: BlockedRollback) -> None:
        """Now that nobody else can change it: what was shown, and agreed to, is what is done."""
        if not self._look().is_blocked_as(blocked):
            raise CloudFormationRefusedError(
                "What blocks the rollback is no longer what was shown.",
                code="RollbackChanged",
                environment=self.environment.name,
                next_step="Nothing was changed. Look again.",
            )

    def _guard(self, keeper: HoldKeeper, blocked: BlockedRollback, token: str) -> None:
        """Right before each attempt: our fence, then the stack's own status, unless an earlier attempt was applied."""
        keeper.guard()
        stack = self.cloudformation.stack(blocked.stack.stack_id)
        if stack and stack.state.is_failed_update_rollback:
            return
        operation = self.cloudformation.latest_operation(stack) if stack else None
        if operation is None or operation.token != token:
            raise not_blocked(stack, self.environment)

    def _follow(self, blocked: BlockedRollback, hold: Hold, tell: Tell) -> Recovered:
        token, is_secret = hold.owner or "", self.log.has_secrets
        watcher = StackWatcher(
            self.cloudformation,
            stack_id=blocked.stack.stack_id,
            token=token,
            started_after=hold.granted_at,
            clock=self.clock,
        )
        for observation in watcher.follow(self.pause):
            if observation.read_error:
                log.warning("The operation could not be read this time: %s", observation.read_error)
            for event in observation.new_events:
                tell(event.model_copy(update={"reason": WITHHELD}) if is_secret and event.reason else event)
        status = StackStatus(observation.outcome or "")
        return Recovered(token, status, self._look() if status.is_failed_update_rollback else None)

    def _close(self, recovered: Recovered, hold: Hold, wish: Wish) -> Recovered:
        """Its end on record, the environment free. Neither changes what the stack has come to."""
        try:
            self.log.ended(
                recovered.recovery_id,
                by=wish.by,
                status=recovered.status,
                is_well=recovered.is_well,
                still_blocked=recovered.still_blocked,
            )
            self.registry.holds.release(hold)
        except InterlockError as error:
            return replace(recovered, not_recorded=str(error))
        return recovered

    def _busy(self, message: str, next_step: str | None = None) -> EnvironmentBusyError:
        wait = f"Wait for its end: `interlock status {self.environment.name}`."
        return EnvironmentBusyError(message, environment=self.environment.name, next_step=next_step or wait)


def free_after_crash(
    registry: Registry, environment: Environment, cloudformation: CloudFormation, hold: Hold, clock: Clock
) -> str:
    """What became of a recovery whose process let its hold expire; answers it in words. Harmless when repeated.

    While its operation runs the hold stays, so that nobody takes the environment for free.
    """
    try:
        stack = stack_to_look_at(cloudformation.stack, environment)
    except TemporaryError as error:
        return f"left, for the stack could not be read: {error.message}"
    if stack is not None and stack.state.is_in_progress:
        return "its operation runs, and is waited for"
    if not registry.holds.release(hold):
        return "somebody else was faster"
    status = StackStatus(stack.status if stack else "DELETE_COMPLETE")
    log = RecoveryLog(registry, environment.name, clock)
    log.ended(hold.owner or "", by="Interlock, for its process died", status=status, is_well=status.is_rolled_back)
    return f"released; the stack is in {status}"
