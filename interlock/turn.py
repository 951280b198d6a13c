"""Waiting for the turn: head of the queue, then the slot, then the hold. Bounded (promise 7), and never past a running stack."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from interlock.clock import Clock
from interlock.errors import (
    CancelledError,
    LockedTooLongError,
    NotYourTurnError,
    SupersededError,
    TicketLostError,
    WaitTimeoutError,
)
from interlock.locks import lock_on, open_window
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.lock import Lock
from interlock.models.notice import Notice, NoticeKind
from interlock.models.queue import Hold, Ticket, ahead_of
from interlock.registry import Registry
from interlock.timing import (
    HOLD_LIFETIME_SECONDS,
    LATE_ARRIVAL_SECONDS,
    SLOT_ATTEMPT_SECONDS,
    STACK_CHECK_SECONDS,
    TICKET_HEARTBEAT_SECONDS,
    TICKET_LIFETIME_SECONDS,
)

StackIsQuiet = Callable[[], bool]
"""Looks at the stack now: no operation runs on it, ours or a stranger's."""
LateArrivals = Callable[[], Sequence[str]]
"""Runs asked for before ours whose processes have not joined the queue yet."""
SettleHolder = Callable[[str], None]
"""Closes the deployment of this correlation id, whose process let its hold expire, if its end can be known."""
TakeSlot = Callable[[ExitStack, float], bool]
"""One attempt at the environment's slot, of at most so many seconds; given back when the ExitStack is left."""
Tell = Callable[[int, timedelta, Lock | None], None]
"""Called with our position (0 is the head), the time waited and the lock that keeps us out, if one does, each time we look
and it is not our turn."""


@dataclass
class Turn:
    """One deployment's wait. `take(held)` returns when it holds the environment."""

    registry: Registry
    environment: Environment
    deployment: Deployment
    stack_is_quiet: StackIsQuiet
    settle_holder: SettleHolder
    late_arrivals: LateArrivals
    take_slot: TakeSlot
    is_degraded: Callable[[], bool]
    tell: Tell
    clock: Clock
    sleep: Callable[[float], None]
    poll_seconds: float
    _began: datetime = field(init=False)
    _ticket: Ticket | None = field(init=False, default=None)
    _next_heartbeat: datetime = field(init=False)
    _next_stack_check: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._next_stack_check = self.clock()
        if not self._is_held_already():
            self._join()

    def take(self, held: ExitStack) -> Hold:
        """Wait until it is our turn; the slot is given back when `held` is left.

        Raises:
            WaitTimeoutError: `max_wait_minutes` are over.
            SupersededError, CancelledError: the deployment was ended while it waited.
        """
        while True:
            self._require_still_wanted()
            self._require_time_left()
            self._stay_alive()
            if self._is_our_turn() and (hold := self._try(held)):
                return hold
            self.sleep(self.poll_seconds)

    def _is_our_turn(self) -> bool:
        if self._is_held_already():
            return True
        lock = lock_on(self.registry, self.environment, self.clock())
        kept_out_by = None if self.deployment.passes_locks else lock
        if self.is_degraded() and not kept_out_by:
            return self._stack_was_quiet()  # who else is there cannot be known: the slot orders, the stack decides
        position = self._position(lock)
        if position == 0 and self._environment_is_free() and not kept_out_by and not self._somebody_earlier_comes():
            return self._stack_was_quiet()
        self.tell(position, self.clock() - self._began, kept_out_by)
        return False

    def _try(self, held: ExitStack) -> Hold | None:
        """Slot, then hold. Whoever fails to get the hold gives the slot back at once.

        An adopter asks for the slot once: its dead predecessor's lease may keep it for a minute, and meanwhile the hold
        would expire and nobody would look at the operation.
        """
        with ExitStack() as attempt:
            is_adopted = self._is_held_already()
            if not self.take_slot(attempt, min(SLOT_ATTEMPT_SECONDS, self._seconds_left())) and not is_adopted:
                return None
            try:
                hold = self._claim()
            except (NotYourTurnError, TicketLostError):
                return None
            held.push(attempt.pop_all())
            return hold

    def _claim(self) -> Hold:
        return self.registry.holds.claim(
            self.environment.name,
            self.deployment.correlation_id,
            lifetime_seconds=HOLD_LIFETIME_SECONDS,
            stack_is_quiet=True,
            window=open_window(self.environment, self.clock()),
            events=[
                DeploymentEvent(timestamp=self.clock(), event="HOLD_GRANTED", details="It is this deployment's turn.")
            ],
            notices=[
                Notice(
                    kind=NoticeKind.DEPLOYING, facts={"waited_seconds": (self.clock() - self._began).total_seconds()}
                )
            ],
        )

    # --- the conditions, one a method --------------------------------------------------------------------------------

    def _is_held_already(self) -> bool:
        """By an earlier process of this very deployment: it is adopted, whatever the queue and the stack look like."""
        hold = self.registry.holds.current(self.environment.name)
        return hold is not None and hold.owner == self.deployment.correlation_id

    def _position(self, lock: Lock | None) -> int:
        waiting = self.registry.queue.waiting(self.environment.name)
        ahead = ahead_of(self.deployment.correlation_id, waiting, is_locked=lock is not None)
        return len(waiting if ahead is None else ahead)

    def _environment_is_free(self) -> bool:
        """Free, or freed just now: a holder whose time is up is closed first, so that no operation of its is left behind."""
        hold = self.registry.holds.current(self.environment.name)
        if hold is None or hold.owner is None:
            return True
        if hold.is_live(self.clock()) or self.clock() < self._next_stack_check:
            return False
        self._next_stack_check = self.clock() + timedelta(seconds=STACK_CHECK_SECONDS)
        self.settle_holder(hold.owner)
        return self.registry.holds.current(self.environment.name) is None

    def _somebody_earlier_comes(self) -> bool:
        """Their processes may be slower to start than ours; they are waited for, but not for long."""
        waited = (self.clock() - self._began).total_seconds()
        return waited < LATE_ARRIVAL_SECONDS and bool(self.late_arrivals())

    def _stack_was_quiet(self) -> bool:
        if self.clock() < self._next_stack_check:
            return False
        self._next_stack_check = self.clock() + timedelta(seconds=STACK_CHECK_SECONDS)
        return self.stack_is_quiet()

    def _require_time_left(self) -> None:
        if self._seconds_left() > 0:
            return
        lock = None if self.deployment.passes_locks else lock_on(self.registry, self.environment, self.clock())
        raise (LockedTooLongError if lock else WaitTimeoutError)(
            f"Waited {self.environment.max_wait_minutes:g} minutes for the environment and it is still "
            f"{lock.in_words if lock else 'busy'}.",
            environment=self.environment.name,
            correlation_id=self.deployment.correlation_id,
            next_step="Ask again later, or see `interlock status` for what is active.",
        )

    def _seconds_left(self) -> float:
        return self.environment.max_wait_minutes * 60 - (self.clock() - self._began).total_seconds()

    def _require_still_wanted(self) -> None:
        record = self.registry.deployments.get(self.deployment.correlation_id, with_events=False)
        if not record.status.is_final:
            return
        kind = SupersededError if record.status is DeploymentStatus.SUPERSEDED else CancelledError
        raise kind(
            record.reason or "The deployment was ended while it waited.",
            environment=self.environment.name,
            correlation_id=self.deployment.correlation_id,
        )

    def _stay_alive(self) -> None:
        if self._ticket is None or self.clock() < self._next_heartbeat:
            return
        try:
            self._ticket = self.registry.queue.heartbeat(self._ticket, lifetime_seconds=TICKET_LIFETIME_SECONDS)
            self._next_heartbeat = self.clock() + timedelta(seconds=TICKET_HEARTBEAT_SECONDS)
        except TicketLostError:
            self._join()  # we were away for longer than a ticket lives: to the end of the queue

    def _join(self) -> None:
        self._ticket = join_queue(self.registry, self.deployment, now=self.clock())
        self._next_heartbeat = self.clock() + timedelta(seconds=TICKET_HEARTBEAT_SECONDS)


def join_queue(registry: Registry, deployment: Deployment, *, now: datetime) -> Ticket:
    """A ticket for the deployment: the one it has while that is alive, at first one ordered by when it was asked for.

    A deployment whose ticket died has lost its place: others have been told theirs since. One that gave its ticket up to
    wait for approval has not.
    """
    tickets = registry.queue.waiting(deployment.environment)
    alive = any(ticket.correlation_id == deployment.correlation_id for ticket in tickets)
    is_first_time = now - deployment.started_at < timedelta(seconds=TICKET_LIFETIME_SECONDS)
    return registry.queue.enqueue(
        deployment.environment,
        deployment.correlation_id,
        deployment.asked_at if alive or is_first_time or deployment.approval else now,
        lifetime_seconds=TICKET_LIFETIME_SECONDS,
        passes_locks=deployment.passes_locks,
    )
