"""One operation's events sorted by what their failures mean: a cause, a cancellation, or trouble of the rollback.

The danger is in the order. A failure while a stack rolls back explains why the rollback failed, never why it began; and a
log may begin in the middle, have all its lines within one second, or tell of nested stacks between the parent's lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from interlock.models.stack import StackEvent

_SUMMARY = "The following resource(s) failed"
_STARTED_BY_A_PERSON = "User Initiated"
_NAMED = re.compile(r"\[([^\]]*)\]")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Cause(NamedTuple):
    """A failure on the way forward; `after_cancellation`: others of its stack had been cancelled before it."""

    event: StackEvent
    after_cancellation: bool = False


@dataclass
class OperationLog:
    """What the lines of one operation come to, once all are written, oldest first."""

    causes: list[Cause] = field(default_factory=list)
    undone_badly: dict[tuple[str, str], StackEvent] = field(default_factory=dict)
    """What failed while its stack rolled back, and was not tried again with success."""
    summary: StackEvent | None = None
    """What a stack said when it turned back: the names of all that failed or were cancelled."""
    _rolling_back_since: dict[str, datetime] = field(default_factory=dict)
    _cleaning_up: set[str] = field(default_factory=set)
    _spoke: set[str] = field(default_factory=set)
    _cancelled: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, events: Sequence[StackEvent]) -> "OperationLog":
        log = cls(_rolling_back_since=_begun_before(events))
        for event in events:
            log.write(event)
        return log

    def write(self, event: StackEvent) -> None:
        key = (event.stack_id, event.logical_id)
        if event.is_of_the_stack:
            self._write_own(event)
        elif event.is_cancellation:
            self._cancelled.add(key)
        elif event.state.is_failure:
            self._write_failure(key, event)
        elif event.state.is_terminal:
            self._write_recovery(key, event)
        self._spoke.add(event.stack_id)

    def named_in_summary(self) -> set[str]:
        """Of those that the summary names: who was not cancelled, as far as the log shows."""
        if self.summary is None:
            return set()
        lists = _NAMED.findall(self.summary.reason or "")
        names = {name.strip() for each in lists for name in each.split(",")}
        return names - {logical_id for stack_id, logical_id in self._cancelled if stack_id == self.summary.stack_id}

    def _write_own(self, event: StackEvent) -> None:
        stack, state = event.stack_id, event.state
        if state.is_cleanup:
            self._cleaning_up.add(stack)
        if event.reason and (state.is_rolling_back or state.is_failure or state.is_deletion):
            self._write_turn(event, event.reason)
        if state.is_rolling_back:
            self._rolling_back_since.setdefault(stack, event.timestamp)

    def _write_turn(self, event: StackEvent, reason: str) -> None:
        """The stack says why it goes no further."""
        is_back_already = event.stack_id in self._rolling_back_since
        if reason.startswith(_SUMMARY):
            if not (is_back_already or event.state.ends_rollback):
                self.summary = self.summary or event
        elif is_back_already:
            self.undone_badly.setdefault((event.stack_id, event.logical_id), event)
        elif event.stack_id in self._spoke or not reason.startswith(_STARTED_BY_A_PERSON):
            # "Attribute 'X' does not exist", a time limit, a person's cancellation: no resource need have failed. As the
            # very first line, "User Initiated" only says that a deletion or a continued rollback begins.
            self.causes.append(Cause(event, self._is_cancelling(event.stack_id)))

    def _write_failure(self, key: tuple[str, str], event: StackEvent) -> None:
        if self._is_undoing(event):
            self.undone_badly[key] = event
        elif event.stack_id not in self._cleaning_up:
            # What a cleanup cannot remove stays behind; no operation fails by it.
            self.causes.append(Cause(event, self._is_cancelling(event.stack_id)))

    def _write_recovery(self, key: tuple[str, str], event: StackEvent) -> None:
        """Deletions are tried thrice: one that succeeds in the end has not failed."""
        self.undone_badly.pop(key, None)
        if event.state.is_deletion:
            self.causes = [
                cause
                for cause in self.causes
                if not (cause.event.state.is_failed_deletion and (cause.event.stack_id, cause.event.logical_id) == key)
            ]

    def _is_undoing(self, event: StackEvent) -> bool:
        """A rollback creates nothing, and what bears the same time as its beginning was read in no certain order."""
        if event.state.ends_rollback:
            return True  # a resource may have statuses of its own for it: IMPORT_ROLLBACK_FAILED
        since = self._rolling_back_since.get(event.stack_id)
        if since is None or event.state.is_failed_creation or event.stack_id in self._cleaning_up:
            return False
        return event.timestamp > since or event.state.is_failed_deletion

    def _is_cancelling(self, stack_id: str) -> bool:
        return any(stack == stack_id for stack, _ in self._cancelled)


def _begun_before(events: Sequence[StackEvent]) -> dict[str, datetime]:
    """The stacks whose log begins within their rollback: the first that they say of themselves is how that ended.

    A log of failures alone, or with cancellations in it, is a selection of lines and not the tail of them.
    """
    first_said: dict[str, StackEvent] = {}
    goes_well: set[str] = set()
    for event in events:
        if event.is_of_the_stack:
            first_said.setdefault(event.stack_id, event)
        elif not event.state.is_failure:
            goes_well.add(event.stack_id)
    cancelled = {event.stack_id for event in events if event.is_cancellation}
    return {
        stack: _LONG_AGO
        for stack, event in first_said.items()
        if event.state.ends_rollback and stack in goes_well - cancelled
    }
