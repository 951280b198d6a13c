"""What an operation still has to do, and how long that will take at a given quantile."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from interlock.models.past_operation import CREATE, DELETE, UPDATE, PastOperation
from interlock.models.stack import Change
from interlock.monitoring.belief import Belief
from interlock.monitoring.expectation import Expectations, action_of
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState, Stage
from interlock.monitoring.schedule import Dependencies, Work, longest_path, needs_in

_BEGIN: Final = Belief.around(3, log_sd=0.5)
"""From the stack's first line to its first resource's."""
_END: Final = {CREATE: Belief.around(1, log_sd=0.8), UPDATE: Belief.around(5, log_sd=1.0)}
"""From the last resource to the stack's last line; after an update it looks for what to remove."""
_END_NOISE: Final = 0.5
_ACTIONS: Final = {"Modify": UPDATE, "Remove": DELETE}
_UNSEEN_SECONDS: Final = 10.0
"""So much weight has the guess that an operation is as wide as it is deep, beside what it has shown."""


class Outlook:
    """All durations are taken at the same quantile: what slows one resource down (a region, an account) slows others."""

    def __init__(
        self,
        progress: Progress,
        now: datetime,
        changes: Sequence[Change],
        dependencies: Dependencies,
        history: Sequence[PastOperation],
    ) -> None:
        self._progress, self._now, self._history = progress, now, history
        self._dependencies = dependencies
        self._changes = {change.logical_id: change for change in changes}
        self._expected = Expectations(history, progress)

    def seconds(self, q: float) -> float:
        """Until the stack's last line."""
        if self._is_turning_back:
            work = self._path(self._reverts(), q)
            return work + self._end(q, is_next=not work)
        forward = self._path([row for row in self._unfinished() if self._action(row) != DELETE], q)
        removals = (self._left(row, DELETE, q) for row in self._removals())
        work = forward + max(removals, default=0.0)
        return self._begin(q) + work + self._end(q, is_next=not work)

    def _path(self, rows: Iterable[ResourceProgress], q: float) -> float:
        left = {Work(row.logical_id, self._action(row)): (row, self._left(row, self._action(row), q)) for row in rows}
        running = {work: seconds for work, (row, seconds) in left.items() if self._runs(row)}
        waiting = {work: seconds for work, (row, seconds) in left.items() if not self._runs(row)}
        return longest_path(running, waiting, needs_in(self._dependencies, self._history, left), self._at_once())

    def _left(self, row: ResourceProgress, action: str, q: float) -> float:
        elapsed = (row.seconds or 0.0) if self._runs(row) and action_of(row) == action else 0.0
        return self._expected.of(row.logical_id, row.resource_type, action).left(q, elapsed_seconds=elapsed)

    def _runs(self, row: ResourceProgress) -> bool:
        return row.state is ResourceState.RUNNING and (not self._is_turning_back or self._is_reverted(row))

    def _action(self, row: ResourceProgress) -> str:
        """What is done to it now or next: of what turns back, the reverse of what was done."""
        if self._is_turning_back and not self._is_reverted(row):
            return DELETE if action_of(row) == CREATE else UPDATE
        return action_of(row) if row.status else self._announced(row)

    def _announced(self, row: ResourceProgress) -> str:
        change = self._changes.get(row.logical_id)
        # A replacement is called an update, but what takes its time is the creation.
        return _ACTIONS.get(change.action, CREATE) if change and change.replacement != "True" else CREATE

    def _unfinished(self) -> list[ResourceProgress]:
        return [row for row in self._progress.resources if row.state in (ResourceState.WAITING, ResourceState.RUNNING)]

    def _removals(self) -> list[ResourceProgress]:
        """What goes at the end: removed resources, and the old ones of those replaced."""
        replaced = {name for name, change in self._changes.items() if change.replacement == "True"}
        gone = (row for row in self._progress.resources if row.state is ResourceState.DONE and action_of(row) != DELETE)
        old = [row for row in gone if row.logical_id in replaced]
        return old + [row for row in self._unfinished() if self._action(row) == DELETE]

    def _reverts(self) -> list[ResourceProgress]:
        """What the rollback has to do, or does. A resource whose creation failed leaves nothing to turn back."""
        never_made = (ResourceState.FAILED, ResourceState.CANCELLED)
        begun = [row for row in self._progress.resources if row.started_at]
        made = [row for row in begun if not (row.state in never_made and action_of(row) == CREATE)]
        return [row for row in made if self._runs(row) or not self._is_reverted(row)]

    @cached_property
    def _is_turning_back(self) -> bool:
        """A failure turns back what was done, before the stack says so itself."""
        is_failing = self._progress.stage is Stage.DEPLOYING and self._progress.failed > 0
        return is_failing or self._progress.stage is Stage.ROLLING_BACK

    def _is_reverted(self, row: ResourceProgress) -> bool:
        """It has been turned back, or is being."""
        if self._progress.stage is not Stage.ROLLING_BACK:
            return False
        since = self._progress.stage_started_at
        return action_of(row) == DELETE or bool(since and row.started_at and row.started_at >= since)

    def _begin(self, q: float) -> float:
        is_begun = any(row.started_at for row in self._progress.resources)
        return 0.0 if is_begun else _BEGIN.left(q, elapsed_seconds=self._since(self._progress.started_at))

    def _end(self, q: float, *, is_next: bool = False) -> float:
        kind = UPDATE if self._is_update() else CREATE
        ends = [past.end_seconds for past in self._history if past.kind == kind and past.end_seconds is not None]
        elapsed = self._since(self._last_done_at()) if is_next else 0.0
        return _END[kind].learned(ends, noise=_END_NOISE).left(q, elapsed_seconds=elapsed)

    def _last_done_at(self) -> datetime | None:
        ends = (
            row.started_at + timedelta(seconds=row.seconds or 0) for row in self._progress.resources if row.started_at
        )
        return max(ends, default=None)

    def _is_update(self) -> bool:
        if self._progress.stage is Stage.CLEANING_UP or any(c.action != "Add" for c in self._changes.values()):
            return True
        return any(action_of(row) == UPDATE for row in self._progress.resources)

    def _at_once(self) -> float:
        """How many resources are worked on at once, on average: as seen so far, and as many as a square is wide."""
        busy = sum(row.seconds or 0.0 for row in self._progress.resources)
        width = math.sqrt(max(len(self._progress.resources), 1))
        first = min((row.started_at for row in self._progress.resources if row.started_at), default=None)
        return max((busy + _UNSEEN_SECONDS * width) / (self._since(first) + _UNSEEN_SECONDS), 1.0)

    def _since(self, moment: datetime | None) -> float:
        return max(0.0, (self._now - moment).total_seconds()) if moment else 0.0
