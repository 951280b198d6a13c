"""The status report: may a deployment of this environment start now, and if not, what is in its way."""

from datetime import datetime
from enum import StrEnum

from interlock.correlation_id import is_correlation_id
from interlock.models.approval import Approval
from interlock.models.base import Instant, Value
from interlock.models.deployment import Deployment
from interlock.models.environment import Environment
from interlock.models.lock import Lock
from interlock.models.queue import Hold, Ticket
from interlock.models.stack import Operation, Stack, StackEvent
from interlock.monitoring.estimate import Estimate

_RECENT = 5


class Reason(StrEnum):
    """Why a deployment can start, or cannot. CI pipelines parse these: never rename."""

    READY = "READY"
    ACTIVE_DEPLOYMENT_IN_PROGRESS = "ACTIVE_DEPLOYMENT_IN_PROGRESS"
    FOREIGN_OPERATION_IN_PROGRESS = "FOREIGN_OPERATION_IN_PROGRESS"
    ENVIRONMENT_LOCKED = "ENVIRONMENT_LOCKED"
    """By a person or a freeze window (`lock`). Without one: somebody has the environment, or is first in its queue, but no
    operation of theirs is known."""
    STACK_NEEDS_RECOVERY = "STACK_NEEDS_RECOVERY"
    REGISTRY_UNAVAILABLE = "REGISTRY_UNAVAILABLE"
    """Judged by the stack alone."""


_SOMETHING_RUNS = (Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS, Reason.FOREIGN_OPERATION_IN_PROGRESS)


class ActiveDeployment(Value):
    """What runs now. A stranger's operation has no correlation id."""

    correlation_id: str | None
    started_at: Instant | None
    elapsed_minutes: int | None
    estimated_remaining_minutes: int | None
    current_status: str | None
    recent_events: tuple[str, ...] = ()


class QueuedDeployment(Value):
    correlation_id: str
    position: int
    asked_at: Instant
    waiting_minutes: int


class UnapprovedDeployment(Value):
    """One that waits for a person. It is in nobody's way."""

    correlation_id: str
    requested_at: Instant
    expires_at: Instant
    waiting_minutes: int
    changes: str
    """Their hash."""


class StatusReport(Value):
    """`interlock status ENV --json`."""

    environment: str
    can_deploy: bool
    reason: Reason
    stack_name: str
    stack_status: str | None
    active_deployment: ActiveDeployment | None
    queue: tuple[QueuedDeployment, ...]
    lock: Lock | None = None
    """The lock that is on, whatever else goes on."""
    awaiting_approval: tuple[UnapprovedDeployment, ...] = ()


class Situation(Value):
    """What the report is made from: all of it read at about `now`.

    `operation` is the stack's latest, `deployment` the registry's active one (the hold's owner), `tickets` the queue in
    its order, `recent_events` the stack's, oldest first.
    """

    environment: Environment
    now: Instant
    stack: Stack | None
    operation: Operation | None = None
    hold: Hold | None = None
    lock: Lock | None = None
    tickets: tuple[Ticket, ...] = ()
    deployment: Deployment | None = None
    unapproved: tuple[Deployment, ...] = ()
    estimate: Estimate | None = None
    recent_events: tuple[StackEvent, ...] = ()
    is_registry_available: bool = True

    @property
    def waiting(self) -> tuple[Ticket, ...]:
        return tuple(ticket for ticket in self.tickets if ticket.is_alive(self.now))

    @property
    def active(self) -> Deployment | None:
        return self.deployment if self.deployment and not self.deployment.status.is_final else None

    @property
    def is_stack_busy(self) -> bool:
        if self.stack is None or not self.stack.state.is_review:
            return self.stack is not None and self.stack.state.is_in_progress
        # A change set just executed may still read REVIEW_IN_PROGRESS: then the events know better.
        return self.operation is not None and not self.operation.is_ended

    @property
    def is_operation_ours(self) -> bool:
        """By its token: the active deployment's, or in the form of one (the registry may be unreadable, or another).
        A command's bears none of ours: while that is active, what runs is taken for its doing.
        """
        if self.active and self.active.by_command:
            return True
        token = (self.operation and self.operation.token) or ""
        expected = (self.active.operation_token or self.active.correlation_id) if self.active else None
        is_expected = expected is not None and token.startswith(expected)
        return is_expected or is_correlation_id("-".join(token.split("-")[:3]))


def status_report(situation: Situation) -> StatusReport:
    reason = _reason(situation)
    is_blind = reason is Reason.REGISTRY_UNAVAILABLE
    return StatusReport(
        environment=situation.environment.name,
        can_deploy=reason is Reason.READY or (is_blind and not situation.is_stack_busy),
        reason=reason,
        stack_name=situation.stack.name if situation.stack else situation.environment.stack_name,
        stack_status=situation.stack.status if situation.stack else None,
        active_deployment=_active(situation) if reason in _SOMETHING_RUNS else None,
        queue=tuple(_queued(ticket, number, situation.now) for number, ticket in enumerate(situation.waiting, 1)),
        lock=situation.lock,
        awaiting_approval=tuple(
            _unapproved(each.correlation_id, each.approval, situation.now)
            for each in situation.unapproved
            if each.approval
        ),
    )


def _reason(situation: Situation) -> Reason:
    if situation.is_stack_busy:
        is_ours = situation.is_operation_ours
        return Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS if is_ours else Reason.FOREIGN_OPERATION_IN_PROGRESS
    if situation.stack and situation.stack.state.needs_recovery:
        return Reason.STACK_NEEDS_RECOVERY
    is_held = situation.hold is not None and situation.hold.is_live(situation.now)
    if is_held and situation.active:
        return Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS
    if situation.lock:  # a freeze window is known without the registry
        return Reason.ENVIRONMENT_LOCKED
    if not situation.is_registry_available:
        return Reason.REGISTRY_UNAVAILABLE
    return Reason.ENVIRONMENT_LOCKED if is_held or situation.waiting else Reason.READY


def _active(situation: Situation) -> ActiveDeployment:
    started_at = _started_at(situation)
    return ActiveDeployment(
        correlation_id=situation.active.correlation_id if situation.active else None,
        started_at=started_at,
        elapsed_minutes=_minutes((situation.now - started_at).total_seconds()) if started_at else None,
        estimated_remaining_minutes=_minutes(situation.estimate.p50_seconds) if situation.estimate else None,
        current_status=situation.stack.status if situation.stack else None,
        recent_events=tuple(f"{each.logical_id}: {each.status}" for each in situation.recent_events[-_RECENT:]),
    )


def _started_at(situation: Situation) -> datetime | None:
    if situation.active:
        return situation.active.deploying_since or situation.active.started_at
    return situation.operation.started_at if situation.operation else None


def _queued(ticket: Ticket, position: int, now: datetime) -> QueuedDeployment:
    return QueuedDeployment(
        correlation_id=ticket.correlation_id,
        position=position,
        asked_at=ticket.asked_at,
        waiting_minutes=_minutes((now - ticket.asked_at).total_seconds()),
    )


def _unapproved(correlation_id: str, approval: Approval, now: datetime) -> UnapprovedDeployment:
    return UnapprovedDeployment(
        correlation_id=correlation_id,
        requested_at=approval.requested_at,
        expires_at=approval.expires_at,
        waiting_minutes=_minutes((now - approval.requested_at).total_seconds()),
        changes=approval.hash,
    )


def _minutes(seconds: float) -> int:
    return max(0, round(seconds / 60))
