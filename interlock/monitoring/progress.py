"""Progress: what a stack's events, and the changes announced before, say about where an operation stands."""

from collections.abc import Iterable, Sequence
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
    """Where an operation stands at one moment. `percent` is None while nobody knows how much there is to do."""

    stage: Stage = Stage.UNSEEN
    stage_started_at: Instant | None = None
    started_at: Instant | None = None
    last_event_at: Instant | None = None
    percent: int | None = None
    resources: tuple[ResourceProgress, ...] = ()

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


def progress_of(events: Sequence[StackEvent], changes: Iterable[Change], now: datetime) -> Progress:
    """Progress from an operation's events, oldest first, and its change set's changes (none for a stranger's)."""
    changes = tuple(changes)
    ledger = _Ledger({change.logical_id: _Row(change.logical_id, change.resource_type) for change in changes})
    for event in events:
        ledger.write(event)
    return Progress(
        stage=ledger.stage,
        stage_started_at=ledger.stage_started_at,
        started_at=events[0].timestamp if events else None,
        last_event_at=events[-1].timestamp if events else None,
        percent=ledger.percent(is_total_known=bool(changes)),
        resources=tuple(row.shown(now) for row in ledger.rows.values()),
    )


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

    def write(self, event: StackEvent, stage: Stage) -> None:
        was_running = self.state is ResourceState.RUNNING
        self.event, self.state = event, _state_of(event)
        if self.state is ResourceState.RUNNING and not was_running:
            # Later lines of the same run ("Eventual consistency check initiated") start nothing anew.
            self.started_at = event.timestamp
        is_done = self.state is ResourceState.DONE
        self.was_done |= is_done
        self.was_reverted |= is_done and stage is Stage.ROLLING_BACK

    def shown(self, now: datetime) -> ResourceProgress:
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


class _Ledger:
    """The rows and the stage while the events are read."""

    def __init__(self, rows: dict[str, _Row]) -> None:
        self.rows = rows
        self.stage = Stage.UNSEEN
        self.stage_started_at: datetime | None = None

    def write(self, event: StackEvent) -> None:
        if event.is_of_the_stack:
            self._turn_to(_stage_of(event), event.timestamp)
            return
        row = self.rows.setdefault(event.logical_id, _Row(event.logical_id, event.resource_type))
        row.write(event, self.stage)

    def percent(self, *, is_total_known: bool) -> int | None:
        if self.stage is Stage.ENDED:
            return 100
        rows = list(self.rows.values())
        if self.stage is Stage.ROLLING_BACK:
            rows = [row for row in rows if row.event]
            return _share(sum(row.was_reverted for row in rows), len(rows))
        return _share(sum(row.was_done for row in rows), len(rows)) if is_total_known else None

    def _turn_to(self, stage: Stage, at: datetime) -> None:
        if stage is not self.stage:
            self.stage, self.stage_started_at = stage, at


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
