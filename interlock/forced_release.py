"""A hold taken away from whoever has it, by a human who knows better than the registry: `interlock release --force`.

It takes nothing from a running operation, and guesses nothing: what CloudFormation does not say refuses it (promise 10).
"""

from dataclasses import dataclass

from interlock.clock import Clock
from interlock.cloudformation.gateway import CloudFormation
from interlock.errors import AlreadyFinishedError, DeploymentNotFoundError, StackBusyError
from interlock.models.deployment import DeploymentEvent
from interlock.models.environment import Environment
from interlock.models.lock import LockEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.models.queue import Hold
from interlock.recovery import Recovery, Settled, Verdict
from interlock.registry import Registry
from interlock.several_stacks import stack_to_look_at
from interlock.timing import HOLD_LIFETIME_SECONDS, NEVER_STARTED_SECONDS

EVENT = "HOLD_RELEASED_BY_FORCE"


@dataclass(frozen=True)
class ForcedRelease:
    """The release of one environment."""

    registry: Registry
    environment: Environment
    cloudformation: CloudFormation
    clock: Clock

    def carry_out(self, *, by: str, reason: str) -> Hold | None:
        """The hold that was taken away; None if nobody had it: twice changes nothing more (promise 8).

        First the stack is looked at. Then the holder's fence is overtaken, with event, message and audit in the record, so
        that a process that still lives finds out before its next call that changes anything; then its end is recorded by
        the rules of every recovery, and the environment is free.

        Raises:
            StackBusyError: an operation runs on the stack, or may be about to.
            CloudFormationUnavailableError, CloudFormationRefusedError, AwsCredentialsError: nobody can say.
        """
        hold = self.registry.holds.current(self.environment.name)
        if hold is None or hold.owner is None:
            return None
        self._require_quiet(hold.owner)
        self._require_no_command(hold, hold.owner)
        self._shut_out(hold, hold.owner, by, reason)
        self._close(hold, hold.owner, f"Released by force by {by}: {reason}.")
        return hold

    def _require_quiet(self, holder: str) -> None:
        stack = stack_to_look_at(self.cloudformation.stack, self.environment)
        if stack is None:
            return
        # A change set executed just now may still read REVIEW_IN_PROGRESS: then the events know better.
        operation = self.cloudformation.latest_operation(stack) if stack.state.is_review else None
        if stack.state.is_in_progress or (operation and not operation.is_ended):
            raise self._busy(
                f"Not released: an operation runs on stack {stack.name} ({stack.status}).",
                holder,
                f"Wait for it to end, or `interlock cancel {holder}`.",
            )

    def _require_no_command(self, hold: Hold, holder: str) -> None:
        """A fence stops no command: until its engine has found out, it may change the stack at any moment."""
        try:
            deployment = self.registry.deployments.get(holder, with_events=False)
        except DeploymentNotFoundError:
            return
        if deployment.by_command and not deployment.status.is_final and hold.is_live(self.clock()):
            what = "Not released: the environment's command runs, and may begin an operation."
            raise self._busy(what, holder, f"Wait for it to end, or `interlock cancel {holder}`.")

    def _shut_out(self, hold: Hold, holder: str, by: str, reason: str) -> None:
        now, details = self.clock(), f"By {by}: {reason}"
        event = DeploymentEvent(timestamp=now, event=EVENT, details=details)
        notice = Notice(kind=NoticeKind.RELEASED_BY_FORCE, facts={"by": by, "release_reason": reason})
        try:
            self.registry.holds.claim(
                hold.environment,
                holder,
                lifetime_seconds=HOLD_LIFETIME_SECONDS,
                stack_is_quiet=True,
                events=[event],
                notices=[notice],
            )
        except AlreadyFinishedError:  # its end is on record, and its hold was left behind
            self.registry.deployments.record(holder, events=[event], notices=[notice])
        except DeploymentNotFoundError:
            pass  # the audit alone tells of it
        audit = LockEvent(timestamp=now, event=EVENT, by=by, details=reason, correlation_id=holder)
        self.registry.locks.audit(hold.environment, audit)

    def _close(self, hold: Hold, holder: str, why: str) -> None:
        try:
            environment = self.environment.of(self.registry.deployments.get(holder, with_events=False))
            recovery = Recovery(self.registry, environment, self.cloudformation, self.clock)
            settled = recovery.settle(holder, why=why)
        except DeploymentNotFoundError:
            self.registry.holds.release(hold)
            return
        if settled.verdict.must_be_seen_through or settled.verdict is Verdict.UNKNOWN:
            raise self._left(settled, holder)

    def _left(self, settled: Settled, holder: str) -> StackBusyError:
        """The rare case: its operation began while we looked, or was asked for so lately that no event tells of it yet."""
        return self._busy(
            f"Its process is shut out, but the environment stays held: of its operation is to say, {settled.verdict}.",
            holder,
            f"The next sweep closes or adopts it. Or try again in {NEVER_STARTED_SECONDS} s.",
        )

    def _busy(self, message: str, holder: str, next_step: str) -> StackBusyError:
        return StackBusyError(message, environment=self.environment.name, correlation_id=holder, next_step=next_step)
