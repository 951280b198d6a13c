"""Finish what a dead process left: the hooks and the sweep both call this, in any order, as often as they like (promise 8).

It never guesses. What CloudFormation has not said stays open for the next look (promise 10).
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from interlock.approvals import expired
from interlock.clock import Clock
from interlock.cloudformation.gateway import CloudFormation
from interlock.commands.operation import last_operation
from interlock.errors import AlreadyFinishedError, TemporaryError
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.environment import Environment, OnCancel
from interlock.models.outcome import Outcome
from interlock.models.queue import Hold
from interlock.models.stack import Stack, StackEvent
from interlock.monitoring.watcher import StackWatcher
from interlock.notices import notice_of
from interlock.operation_outcome import cancelled_outcome, outcome_of_operation
from interlock.registry import Registry
from interlock.several_stacks import is_good, of_all_stacks
from interlock.timing import (
    COMMAND_DEATH_SECONDS,
    HOLD_LIFETIME_SECONDS,
    NEVER_STARTED_SECONDS,
    STACKS_LEFT_SECONDS,
)


class Verdict(StrEnum):
    """What was found of a deployment whose process is gone."""

    NOTHING_TO_DO = "nothing to do"
    FINISHED = "finished"
    OPERATION_RUNS = "its operation runs"
    """Somebody must see it through: a rerun of its flow run adopts it."""
    STACKS_LEFT = "it has more stacks to deploy"
    """As with an operation, somebody must see it through."""
    COMMAND_MAY_LIVE = "its command may live for some seconds yet"
    """So nothing is decided; and as with an operation, somebody must see it through."""
    WAITS_FOR_APPROVAL = "it waits for approval"
    """It needs no process, but a run that can be resumed."""
    UNKNOWN = "not known yet"
    """CloudFormation did not say, or cannot say yet: look again later."""

    @property
    def must_be_seen_through(self) -> bool:
        """Something of it goes on, or is to: somebody must adopt it."""
        return self in (Verdict.OPERATION_RUNS, Verdict.STACKS_LEFT, Verdict.COMMAND_MAY_LIVE)


@dataclass(frozen=True)
class Settled:
    """What was found, and how the deployment ended if this call recorded its end."""

    verdict: Verdict
    outcome: Outcome | None = None


@dataclass(frozen=True)
class Recovery:
    """The recovery of one environment's deployments."""

    registry: Registry
    environment: Environment
    cloudformation: CloudFormation
    clock: Clock

    def settle(self, correlation_id: str, *, why: str, cancelled: bool = False) -> Settled:
        """Close the deployment if its end can be known; call this only when its process is gone.

        `why` says what happened to the process, for the record. `cancelled`: a person wanted it to end.
        """
        deployment = self.registry.deployments.get(correlation_id, with_events=False)
        if deployment.status.is_final:
            self._release(deployment)
            return Settled(Verdict.NOTHING_TO_DO)
        try:
            if cancelled and not deployment.cancel_requested:
                self._record_cancellation(deployment)
            if deployment.awaits_approval and not (cancelled or deployment.cancel_requested):
                return self._settle_waiting(deployment)
            return self._settle(self._shut_out(deployment), why)
        except TemporaryError:
            return Settled(Verdict.UNKNOWN)
        except AlreadyFinishedError:
            return Settled(Verdict.NOTHING_TO_DO)  # somebody else was faster

    def _settle(self, deployment: Deployment, why: str) -> Settled:
        if not deployment.has_begun:
            status = DeploymentStatus.CANCELLED if deployment.cancel_requested else DeploymentStatus.FAILED
            return self._finish(deployment, Outcome(status=status, reason=f"{why} Nothing was changed."))
        if deployment.by_command:
            deployment = self._note_loss(deployment)
        stack = self.cloudformation.stack(self.environment.stack_name)
        events = self._operation_events(deployment, stack)
        if not events:
            return self._settle_unseen(deployment, why)
        if outcome := self._outcome(deployment, stack, events):
            if self._may_begin_another(deployment):
                return Settled(Verdict.COMMAND_MAY_LIVE)
            if self._goes_on(deployment, outcome, events):
                return Settled(Verdict.STACKS_LEFT)
            return self._finish(deployment, outcome)
        if stack is not None and deployment.cancel_requested:
            self._turn_back(deployment, stack)
        return Settled(Verdict.OPERATION_RUNS)

    def _goes_on(self, deployment: Deployment, outcome: Outcome, events: list[StackEvent]) -> bool:
        lately = self.clock() - events[-1].timestamp < timedelta(seconds=STACKS_LEFT_SECONDS)
        return bool(deployment.stacks_left) and is_good(outcome) and not deployment.cancel_requested and lately

    def _settle_waiting(self, deployment: Deployment) -> Settled:
        """Whoever looks first after its time ends it. Until then only what its process did not give back is taken: there
        is no call left that it could make, so nobody needs shutting out.
        """
        if deployment.approval and deployment.approval.is_over(self.clock()):
            return self._finish(deployment, expired(deployment))
        self._release(deployment)
        return Settled(Verdict.WAITS_FOR_APPROVAL)

    def _shut_out(self, deployment: Deployment) -> Deployment:
        """Take the hold over with a new fence, if it is this deployment's: a process that only seemed dead then finds
        out before its next call. The record is read again after that, when nobody else can carry it on.
        """
        hold = self._own_hold(deployment)
        if hold is not None:
            self.registry.holds.claim(
                deployment.environment,
                deployment.correlation_id,
                lifetime_seconds=HOLD_LIFETIME_SECONDS,
                stack_is_quiet=False,
            )
        return self.registry.deployments.get(deployment.correlation_id, with_events=False)

    def _operation_events(self, deployment: Deployment, stack: Stack | None) -> list[StackEvent]:
        if stack is None:
            return []
        if deployment.by_command:
            mark = deployment.command_after_event
            return list(last_operation(self.cloudformation.events(stack.stack_id, after=mark)))
        return self.cloudformation.events_of_operation(stack.stack_id, deployment.operation_token or "")

    def _note_loss(self, deployment: Deployment) -> Deployment:
        """A command outlives its process by a little: from the first look at the dead on, that time is counted."""
        if deployment.process_lost_at is not None:
            return deployment
        return self.registry.deployments.record(deployment.correlation_id, changes={"process_lost_at": self.clock()})

    def _may_begin_another(self, deployment: Deployment) -> bool:
        lost_at = deployment.process_lost_at
        return lost_at is not None and self.clock() - lost_at < timedelta(seconds=COMMAND_DEATH_SECONDS)

    def _settle_unseen(self, deployment: Deployment, why: str) -> Settled:
        """The token was stored and no event carries it: the call was never made, once events have had time to appear."""
        asked_at = deployment.process_lost_at or deployment.operation_asked_at or deployment.updated_at
        if self.clock() - asked_at < timedelta(seconds=NEVER_STARTED_SECONDS):
            return Settled(Verdict.COMMAND_MAY_LIVE if deployment.by_command else Verdict.UNKNOWN)
        status = DeploymentStatus.CANCELLED if deployment.cancel_requested else DeploymentStatus.FAILED
        unseen = "no operation of its command" if deployment.by_command else "no operation with its token"
        reason = f"{why} CloudFormation knows of {unseen}: nothing was changed."
        return self._finish(deployment, Outcome(status=status, reason=reason))

    def _outcome(self, deployment: Deployment, stack: Stack | None, events: list[StackEvent]) -> Outcome | None:
        watcher = StackWatcher(
            _Read(events),
            stack_id=events[0].stack_id,
            token=deployment.operation_token or "",
            started_after=deployment.deploying_since or deployment.started_at,
            clock=self.clock,
        )
        observation = watcher.observe()
        if not observation.is_ended:
            return None
        if stack is not None and stack.state.is_in_progress:  # it ended between the two reads: this one is out of date
            stack = self.cloudformation.stack(self.environment.stack_name)
        outcome = outcome_of_operation(observation, stack, self.environment, self.cloudformation)
        return cancelled_outcome(outcome) if deployment.cancel_requested else outcome

    def _turn_back(self, deployment: Deployment, stack: Stack) -> None:
        """A running update is rolled back; a creation is deleted, if the environment says so, or left to finish."""
        hold = self._own_hold(deployment)
        if hold is None:
            return  # it is not ours to touch any more
        if stack.state.is_cancellable_update:
            self.cloudformation.cancel_update(
                stack.stack_id, token=f"{deployment.correlation_id}-cancel", guard=lambda: self._guard(hold)
            )
        elif stack.state.is_creation and self.environment.on_cancel is OnCancel.DELETE:
            self.cloudformation.delete_stack(
                stack.stack_id, token=f"{deployment.correlation_id}-cancel", guard=lambda: self._guard(hold)
            )

    def _guard(self, hold: Hold) -> None:
        self.registry.holds.renew(hold, lifetime_seconds=HOLD_LIFETIME_SECONDS)

    def _record_cancellation(self, deployment: Deployment) -> None:
        self.registry.deployments.record(
            deployment.correlation_id,
            events=[DeploymentEvent(timestamp=self.clock(), event="CANCELLATION_REQUESTED", details="By a person.")],
            changes={"cancel_requested": True},
        )

    def _finish(self, deployment: Deployment, outcome: Outcome) -> Settled:
        outcome, now = of_all_stacks(deployment, outcome), self.clock()
        event = DeploymentEvent(
            timestamp=now, event=f"DEPLOYMENT_{outcome.status.value}", details=outcome.reason or outcome.title
        )
        changes = {"outputs": outcome.outputs, "application_url": outcome.application_url}
        finished = self.registry.deployments.finish(
            deployment.correlation_id,
            outcome.status,
            reason=outcome.reason,
            events=[event],
            notices=[notice_of(outcome, deployment, now=now)],
            changes=changes | ({"stack_status": outcome.stack_status} if outcome.stack_status else {}),
        )
        self._release(deployment)
        return Settled(Verdict.FINISHED, outcome) if finished else Settled(Verdict.NOTHING_TO_DO)

    def _release(self, deployment: Deployment) -> None:
        if hold := self._own_hold(deployment):
            self.registry.holds.release(hold)

    def _own_hold(self, deployment: Deployment) -> Hold | None:
        hold = self.registry.holds.current(deployment.environment)
        return hold if hold and hold.owner == deployment.correlation_id else None


@dataclass(frozen=True)
class _Read:
    """Events that were read already, for a watcher."""

    events_read: list[StackEvent]
    has_reads_to_spare: bool = False

    def events(self, stack_id: str, *, after: str | None = None, not_before: object = None) -> list[StackEvent]:  # noqa: ARG002 - a watcher's reader
        return []

    def events_of_operation(self, stack_id: str, token: str, *, not_before: object = None) -> list[StackEvent]:  # noqa: ARG002 - as above
        return self.events_read
