"""One reader of a stack's events for everybody in the process who looks at the operation."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from interlock.clock import Clock, utc_now
from interlock.errors import InterlockError
from interlock.models.base import Instant, Value
from interlock.models.stack import Change, StackEvent
from interlock.models.stack_status import StackStatus
from interlock.monitoring.estimate import Estimate, remaining
from interlock.monitoring.pace import FIRST_DELAY_SECONDS, next_delay_seconds
from interlock.monitoring.progress import Progress, progress_of
from interlock.monitoring.stall import Stall, stall_of

_CLOCKS_DISAGREE = timedelta(minutes=5)
"""How far AWS's clock and ours may be apart without an operation being overlooked."""


class EventReader(Protocol):
    """What is needed of interlock.cloudformation.gateway.CloudFormation."""

    def events(self, stack_id: str, *, after: str | None = None) -> list[StackEvent]: ...
    def events_of_operation(
        self, stack_id: str, token: str, *, not_before: datetime | None = None
    ) -> list[StackEvent]: ...


class Observation(Value):
    """What was known of the operation at one moment. `outcome` is the stack's status at its end, None before it.

    `read_error` says why the last read failed; what is known is then older than `observed_at`, and decides nothing.
    """

    observed_at: Instant
    events: tuple[StackEvent, ...] = ()
    new_events: tuple[StackEvent, ...] = ()
    progress: Progress = Progress()
    outcome: str | None = None
    read_error: str | None = None
    failed_reads: int = 0
    """How many reads have failed in a row."""
    estimate: Estimate | None = None
    stall: Stall | None = None
    next_look_seconds: float = FIRST_DELAY_SECONDS

    @property
    def outcome_state(self) -> StackStatus | None:
        return StackStatus(self.outcome) if self.outcome else None

    @property
    def is_ended(self) -> bool:
        return self.outcome is not None


class StackWatcher:
    """Reads the events of the operation that `token` started, no oftener than the pace asks for; safe among threads.

    `started_after` is a moment (by our clock) before the operation was asked for. `history` holds the seconds that
    earlier deployments of the environment took.
    """

    def __init__(
        self,
        reader: EventReader,
        *,
        stack_id: str,
        token: str,
        started_after: datetime,
        changes: Sequence[Change] = (),
        stall_after_minutes: float = 10,
        history: Sequence[float] = (),
        clock: Clock = utc_now,
    ) -> None:
        self._reader = reader
        self._stack_id = stack_id
        self._token = token
        self._started_after = started_after
        self._changes = tuple(changes)
        self._stall_after_minutes = stall_after_minutes
        self._history = tuple(history)
        self._clock = clock
        self._lock = threading.Lock()
        self._due_at = clock() + timedelta(seconds=FIRST_DELAY_SECONDS)
        self._last: Observation | None = None

    def observe(self) -> Observation:
        """The operation now: read anew if it is time to, otherwise as it was last seen. Raises nothing of AWS's."""
        with self._lock:
            if self._last is None or (not self._last.is_ended and self._clock() >= self._due_at):
                self._last = self._read(self._last or Observation(observed_at=self._clock()))
                self._due_at = self._clock() + timedelta(seconds=self._last.next_look_seconds)
            return self._last

    def follow(self, pause: Callable[[float], object] = time.sleep) -> Iterator[Observation]:
        """Every observation until the end, with the events that are new to this follower.

        `pause` waits some seconds between them; a follower that may be stopped gives its event's `wait`.
        """
        seen = 0
        while True:
            pause(max(0.0, (self._due_at - self._clock()).total_seconds()))
            observation = self.observe()
            yield observation.model_copy(update={"new_events": observation.events[seen:]})
            seen = len(observation.events)
            if observation.is_ended:
                return

    def _read(self, last: Observation) -> Observation:
        try:
            new = self._new_events(last.events)
        except InterlockError as error:
            return self._seen(last.events, (), str(error), last.failed_reads + 1)
        return self._seen((*last.events, *new), tuple(new), None, 0)

    def _new_events(self, known: tuple[StackEvent, ...]) -> list[StackEvent]:
        if known:
            return _until_ended(self._reader.events(self._stack_id, after=known[-1].event_id))
        not_before = self._started_after - _CLOCKS_DISAGREE
        return self._reader.events_of_operation(self._stack_id, self._token, not_before=not_before)

    def _seen(
        self, events: tuple[StackEvent, ...], new: tuple[StackEvent, ...], error: str | None, failed_reads: int
    ) -> Observation:
        now = self._clock()
        progress = progress_of(events, self._changes, now)
        return Observation(
            observed_at=now,
            events=events,
            new_events=new,
            progress=progress,
            outcome=next((event.status for event in events if _ends(event)), None),
            read_error=error,
            failed_reads=failed_reads,
            estimate=remaining(progress, now=now, history=self._history),
            stall=stall_of(progress, now=now, stall_after_minutes=self._stall_after_minutes),
            next_look_seconds=next_delay_seconds(progress, now=now, failed_reads=failed_reads),
        )


def _ends(event: StackEvent) -> bool:
    return event.is_of_the_stack and event.state.is_terminal


def _until_ended(events: list[StackEvent]) -> list[StackEvent]:
    """Without what another operation wrote after the end of this one."""
    end = next((index for index, event in enumerate(events) if _ends(event)), len(events))
    return events[: end + 1]
