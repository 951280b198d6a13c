"""Nested stacks: their resources shown beside the parent's, while their reads are to spare. They decide nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from interlock.errors import InterlockError
from interlock.models.stack import StackEvent
from interlock.monitoring.progress import Ledger, ResourceProgress

_NESTED_STACK = "AWS::CloudFormation::Stack"
_DEEPEST = 5
_FAILED_READS_AT_MOST = 3
"""A nested stack that cannot be read so often is left alone: we may not be allowed to."""
_NEVER = datetime.min.replace(tzinfo=UTC)


class NestedReader(Protocol):
    """What is needed of interlock.cloudformation.gateway.CloudFormation."""

    @property
    def has_reads_to_spare(self) -> bool: ...
    def events(
        self, stack_id: str, *, after: str | None = None, not_before: datetime | None = None
    ) -> list[StackEvent]: ...


@dataclass
class _Nested:
    """One nested stack. `is_due`: it runs, or has ended since it was last read."""

    stack_id: str
    path: str
    depth: int
    ledger: Ledger = field(init=False)
    is_running: bool = True
    is_due: bool = True
    last_event_id: str | None = None
    read_at: datetime = _NEVER
    failed_reads: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger(within=f"{self.path}/")


class NestedStacks:
    """The nested stacks of one operation, however deep (but no deeper than five), found in their parents' lines."""

    def __init__(self, reader: NestedReader) -> None:
        self._reader = reader
        self._stacks: dict[str, _Nested] = {}

    def notice(self, events: Iterable[StackEvent]) -> None:
        """Learn from the parent's new lines which nested stacks there are, and which of them run."""
        self._notice(events, path="", depth=1)

    def read(self, *, started_at: datetime, now: datetime) -> str | None:
        """Read those that are due, longest unread first, as far as the budget goes. What went wrong, if anything did.

        `started_at` is the operation's start: a nested stack's older lines belong to earlier ones.
        """
        for nested in sorted(self._due(), key=lambda each: each.read_at):
            if not self._reader.has_reads_to_spare:
                return None
            try:
                self._read(nested, started_at, now)
            except InterlockError as error:
                nested.failed_reads += 1
                return f"{nested.path}: {error}"
        return None

    def rows(self, now: datetime) -> tuple[ResourceProgress, ...]:
        return tuple(row for nested in self._stacks.values() for row in nested.ledger.rows(now))

    @property
    def last_event_at(self) -> datetime | None:
        return max(
            (each.ledger.last_event_at for each in self._stacks.values() if each.ledger.last_event_at), default=None
        )

    def _due(self) -> list[_Nested]:
        return [each for each in self._stacks.values() if each.is_due and each.failed_reads < _FAILED_READS_AT_MOST]

    def _read(self, nested: _Nested, started_at: datetime, now: datetime) -> None:
        nested.read_at = now
        new = self._reader.events(nested.stack_id, after=nested.last_event_id, not_before=started_at)
        nested.failed_reads, nested.is_due = 0, nested.is_running
        if new:
            nested.last_event_id = new[-1].event_id
            nested.ledger.write(new)
            self._notice(new, path=f"{nested.path}/", depth=nested.depth + 1)

    def _notice(self, events: Iterable[StackEvent], *, path: str, depth: int) -> None:
        for event in events:
            if event.resource_type != _NESTED_STACK or event.is_of_the_stack or not event.physical_id:
                continue
            if event.physical_id not in self._stacks and depth <= _DEEPEST:
                self._stacks[event.physical_id] = _Nested(event.physical_id, path + event.logical_id, depth)
            if nested := self._stacks.get(event.physical_id):
                nested.is_running, nested.is_due = event.state.is_in_progress, True
