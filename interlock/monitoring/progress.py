"""Progress: what a stack's events, and the changes announced before, say about where an operation stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from interlock.models.base import Instant, Value
from interlock.models.stack import Change, StackEvent


class Stage(StrEnum):
    """The chapters of an operation."""

    UNSEEN = "unseen"
    """Asked for, but its first event cannot be read yet."""
    DEPLOYING = "deploying"
    ROLLING_BACK = "rolling back"
    CLEANING_UP = "cleaning up"
    """The outcome is certain; replaced and removed resources go."""
    ENDED = "ended"


class ResourceState(StrEnum):
    """Where a resource stands in the operation."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ResourceProgress(Value):
    """One row of the table: `seconds` is how long it has been running, or how long it took."""

    logical_id: str
    resource_type: str
    state: ResourceState
    status: str | None = None
    started_at: Instant | None = None
    seconds: float | None = None
    reason: str | None = None


class Progress(Value):
    """Where an operation stands at one moment. `percent` is None while nobody knows how much there is to do.

    `nested` are the rows of its nested stacks, named `Nested/Logical`: to look at; they decide and foretell nothing.
    """

    stage: Stage = Stage.UNSEEN
    stage_started_at: Instant | None = None
    started_at: Instant | None = None
    last_event_at: Instant | None = None
    percent: int | None = None
    unfinished: int = 0
    """How many resources must still get somewhere before the stack can end; what a rollback has to take back counts."""
    resources: tuple[ResourceProgress, ...] = ()
    nested: tuple[ResourceProgress, ...] = ()

    def in_state(self, state: ResourceState) -> tuple[ResourceProgress, ...]:
        return tuple(resource for resource in self.resources if resource.state is state)

    @property
    def done(self) -> int:
        return len(self.in_state(ResourceState.DONE))

    @property
    def running(self) -> int:
        return len(self.in_state(ResourceState.RUNNING))

    @property
    def waiting(self) -> int:
        return len(self.in_state(ResourceState.WAITING))

    @property
    def failed(self) -> int:
        return len(self.in_state(ResourceState.FAILED))


def progress_of(events: Iterable[StackEvent], changes: Iterable[Change], now: datetime) -> Progress:
    """Progress from an operation's events, oldest first, and its change set's changes (none for a stranger's)."""
    ledger = Ledger(changes)
    ledger.write(events)
    return ledger.progress(now)


@dataclass
class _Row:
    """A resource while the events are read."""

    logical_id: str
    resource_type: str
    state: ResourceState = ResourceState.WAITING
    event: StackEvent | None = None
    started_at: datetime | None = None
    was_done: bool = False
    was_reverted: bool = False
    _shown: ResourceProgress | None = None

    def write(self, event: StackEvent, stage: Stage) -> None:
        was_running = self.state is ResourceState.RUNNING
        self._shown = None
        self.event, self.state = event, _state_of(event)
        if self.state is ResourceState.RUNNING and not was_running:
            # Later lines of the same run ("Eventual consistency check initiated") start nothing anew.
            self.started_at = event.timestamp
        is_done = self.state is ResourceState.DONE
        self.was_done |= is_done
        self.was_reverted |= is_done and stage is Stage.ROLLING_BACK

    def shown(self, now: datetime) -> ResourceProgress:
        """Only a running resource looks different at each poll: the others are made once and shared."""
        if self._shown is None or self.state is ResourceState.RUNNING:
            self._shown = self._row(now)
        return self._shown

    def _row(self, now: datetime) -> ResourceProgress:
        until = now if self.state is ResourceState.RUNNING or self.event is None else self.event.timestamp
        return ResourceProgress(
            logical_id=self.logical_id,
            resource_type=self.resource_type,
            state=self.state,
            status=self.event.status if self.event else None,
            started_at=self.started_at,
            seconds=max(0.0, (until - self.started_at).total_seconds()) if self.started_at else None,
            reason=self.event.reason if self.event else None,
        )


class Ledger:
    """Progress while the events come in. Each is written once, so a look costs the same however long the log has grown.

    `within` goes before the resources' names (`Nested/`).
    """

    def __init__(self, changes: Iterable[Change] = (), *, within: str = "") -> None:
        self._within = within
        self._rows = {each.logical_id: _Row(each.logical_id, each.resource_type) for each in changes}
        self._is_total_known = bool(self._rows)
        self._stage = Stage.UNSEEN
        self._stage_started_at: datetime | None = None
        self._started_at: datetime | None = None
        self.last_event_at: datetime | None = None

    def write(self, events: Iterable[StackEvent]) -> None:
        """Take down what is new, oldest first."""
        for event in events:
            self._write(event)

    def rows(self, now: datetime) -> tuple[ResourceProgress, ...]:
        return tuple(row.shown(now) for row in self._rows.values())

    def progress(self, now: datetime) -> Progress:
        return Progress(
            stage=self._stage,
            stage_started_at=self._stage_started_at,
            started_at=self._started_at,
            last_event_at=self.last_event_at,
            percent=self._percent(),
            unfinished=sum(self._is_unfinished(row) for row in self._rows.values()),
            resources=self.rows(now),
        )

    def _write(self, event: StackEvent) -> None:
        self._started_at, self.last_event_at = self._started_at or event.timestamp, event.timestamp
        if event.is_of_the_stack:
            self._turn_to(_stage_of(event), event.timestamp)
            return
        new = _Row(self._within + event.logical_id, event.resource_type)
        self._rows.setdefault(event.logical_id, new).write(event, self._stage)

    def _percent(self) -> int | None:
        if self._stage is Stage.ENDED:
            return 100
        rows = list(self._rows.values())
        if self._stage is Stage.ROLLING_BACK:
            rows = [row for row in rows if row.event]
            return _share(sum(row.was_reverted for row in rows), len(rows))
        return _share(sum(row.was_done for row in rows), len(rows)) if self._is_total_known else None

    def _is_unfinished(self, row: _Row) -> bool:
        if self._stage is Stage.ROLLING_BACK:
            return row.state is ResourceState.RUNNING or (row.state is ResourceState.DONE and not row.was_reverted)
        return row.state in (ResourceState.RUNNING, ResourceState.WAITING)

    def _turn_to(self, stage: Stage, at: datetime) -> None:
        if stage is not self._stage:
            self._stage, self._stage_started_at = stage, at


def _share(part: int, whole: int) -> int | None:
    """In percent, and short of 100: only the stack itself says that it is done."""
    return min(99, 100 * part // whole) if whole else None


def _stage_of(event: StackEvent) -> Stage:
    if event.state.is_terminal:
        return Stage.ENDED
    if event.state.is_cleanup:
        return Stage.CLEANING_UP
    return Stage.ROLLING_BACK if event.state.is_rolling_back else Stage.DEPLOYING


def _state_of(event: StackEvent) -> ResourceState:
    if event.state.is_in_progress:
        return ResourceState.RUNNING
    if event.state.is_failure:
        return ResourceState.CANCELLED if event.is_cancellation else ResourceState.FAILED
    return ResourceState.DONE
