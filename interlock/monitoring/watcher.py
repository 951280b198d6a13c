"""One reader of a stack's events for everybody in the process who looks at the operation."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import SkipValidation

from interlock.clock import Clock, utc_now
from interlock.errors import InterlockError
from interlock.models.base import Instant, Value
from interlock.models.past_operation import PastOperation
from interlock.models.stack import Change, StackEvent
from interlock.models.stack_status import StackStatus
from interlock.monitoring.estimate import Estimate, remaining
from interlock.monitoring.event_log import EventLog
from interlock.monitoring.nested import NestedReader, NestedStacks
from interlock.monitoring.pace import FIRST_DELAY_SECONDS, next_delay_seconds
from interlock.monitoring.progress import Ledger, Progress
from interlock.monitoring.schedule import NO_DEPENDENCIES, Dependencies
from interlock.monitoring.stall import Stall, stall_of

_CLOCKS_DISAGREE = timedelta(minutes=5)
"""How far AWS's clock and ours may be apart without an operation being overlooked."""


class Pace(Protocol):
    """When to look next: interlock.monitoring.pace, or another."""

    def __call__(self, progress: Progress, *, now: datetime, failed_reads: int = 0) -> float: ...


class EventReader(NestedReader, Protocol):
    """What is needed of interlock.cloudformation.gateway.CloudFormation."""

    def events_of_operation(
        self, stack_id: str, token: str, *, not_before: datetime | None = None
    ) -> list[StackEvent]: ...


class Observation(Value):
    """What was known of the operation at one moment. `outcome` is the stack's status at its end, None before it.

    `read_error` says why the last read failed; what is known is then older than `observed_at`, and decides nothing.
    """

    observed_at: Instant
    events: SkipValidation[Sequence[StackEvent]] = EventLog()
    """All of the stack's own so far, oldest first; nested stacks' lines are in `progress` alone."""
    new_events: tuple[StackEvent, ...] = ()
    progress: Progress = Progress()
    outcome: str | None = None
    read_error: str | None = None
    failed_reads: int = 0
    """How many reads have failed in a row."""
    nested_error: str | None = None
    """Why a nested stack's events are missing: that is all it means."""
    estimate: Estimate | None = None
    stall: Stall | None = None
    next_look_seconds: float = FIRST_DELAY_SECONDS

    @property
    def outcome_state(self) -> StackStatus | None:
        return StackStatus(self.outcome) if self.outcome else None

    @property
    def is_ended(self) -> bool:
        return self.outcome is not None


class Bookmark:
    """How far a follower has got, and when. It outlives the follower: the next one goes on from there."""

    def __init__(self, looked_at: datetime) -> None:
        self.seen_events = 0
        self.looked_at = looked_at

    def move(self, observation: Observation) -> None:
        self.seen_events, self.looked_at = len(observation.events), observation.observed_at


class StackWatcher:
    """Reads the events of the operation that `token` started, no oftener than the pace asks for; safe among threads.

    `started_after` is a moment (by our clock) before the operation was asked for. `dependencies` are the
    template's where it is at hand; `history` holds the
    environment's earlier operations, the newest first.
    """

    def __init__(
        self,
        reader: EventReader,
        *,
        stack_id: str,
        token: str,
        started_after: datetime,
        changes: Sequence[Change] = (),
        dependencies: Dependencies = NO_DEPENDENCIES,
        stall_after_minutes: float = 10,
        history: Sequence[PastOperation] = (),
        pace: Pace = next_delay_seconds,
        clock: Clock = utc_now,
    ) -> None:
        self._reader = reader
        self._stack_id = stack_id
        self._token = token
        self._started_after = started_after
        self._lines: list[StackEvent] = []
        self._ledger = Ledger(changes)
        self._nested = NestedStacks(reader)
        self._outcome: str | None = None
        self._changes = tuple(changes)
        self._dependencies = dependencies
        self._stall_after_minutes = stall_after_minutes
        self._history = tuple(history)
        self._pace = pace
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

    def follow(
        self, pause: Callable[[float], object] = time.sleep, bookmark: Bookmark | None = None
    ) -> Iterator[Observation]:
        """Every observation until the end, with the events that are new to this follower.

        `pause` waits some seconds between them; a follower that may be stopped gives its event's `wait`. The `bookmark`
        moves on when the follower asks for the next observation: one that died in between is shown the same lines again.
        """
        bookmark = bookmark or Bookmark(self._clock())
        while True:
            pause(max(0.0, (self._due_at - self._clock()).total_seconds()))
            observation = self.observe()
            yield observation.model_copy(update={"new_events": observation.events[bookmark.seen_events :]})
            bookmark.move(observation)
            if observation.is_ended:
                return

    def _read(self, last: Observation) -> Observation:
        try:
            new = self._new_events()
        except InterlockError as error:
            return self._seen((), read_error=str(error), failed_reads=last.failed_reads + 1)
        self._take_down(new)
        return self._seen(tuple(new), nested_error=self._read_nested())

    def _new_events(self) -> list[StackEvent]:
        if self._lines:
            return _until_ended(self._reader.events(self._stack_id, after=self._lines[-1].event_id))
        not_before = self._started_after - _CLOCKS_DISAGREE
        return self._reader.events_of_operation(self._stack_id, self._token, not_before=not_before)

    def _take_down(self, new: list[StackEvent]) -> None:
        """Nothing here, and nothing after it, goes through the log again: the tenth poll costs what the first did."""
        self._lines.extend(new)
        self._ledger.write(new)
        self._nested.notice(new)
        self._outcome = next((event.status for event in new if _ends(event)), None)

    def _read_nested(self) -> str | None:
        return self._nested.read(started_at=self._lines[0].timestamp, now=self._clock()) if self._lines else None

    def _seen(
        self,
        new: tuple[StackEvent, ...],
        *,
        read_error: str | None = None,
        failed_reads: int = 0,
        nested_error: str | None = None,
    ) -> Observation:
        now = self._clock()
        progress = self._progress(now)
        return Observation(
            observed_at=now,
            events=EventLog(self._lines),
            new_events=new,
            progress=progress,
            outcome=self._outcome,
            read_error=read_error,
            failed_reads=failed_reads,
            nested_error=nested_error,
            estimate=remaining(
                progress, now=now, changes=self._changes, dependencies=self._dependencies, history=self._history
            ),
            stall=stall_of(progress, now=now, stall_after_minutes=self._stall_after_minutes, history=self._history),
            next_look_seconds=self._pace(progress, now=now, failed_reads=failed_reads),
        )

    def _progress(self, now: datetime) -> Progress:
        progress = self._ledger.progress(now)
        heard = [at for at in (progress.last_event_at, self._nested.last_event_at) if at]
        # What a nested stack says is a sign of life of its parent too: it would seem stalled without.
        return progress.model_copy(update={"nested": self._nested.rows(now), "last_event_at": max(heard, default=None)})


def _ends(event: StackEvent) -> bool:
    return event.is_of_the_stack and event.state.is_terminal


def _until_ended(events: list[StackEvent]) -> list[StackEvent]:
    """Without what another operation wrote after the end of this one."""
    end = next((index for index, event in enumerate(events) if _ends(event)), len(events))
    return events[: end + 1]
