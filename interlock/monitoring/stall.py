"""Stalls: an operation that is past what its resources normally need, not merely silent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from interlock.models.base import Value
from interlock.models.past_operation import PastOperation
from interlock.monitoring.belief import P90
from interlock.monitoring.expectation import Expectations, action_of
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState, Stage
from interlock.monitoring.resource_seconds import normal_of

_WARNING_FACTOR: Final = 1.5
_MARGIN_SECONDS: Final = 300.0
_CRITICAL_FACTOR: Final = 3.0
_SHARE_OF_CEILING: Final = 0.8
_SLOW_SECONDS: Final = 300.0
"""With a p90 from here on a resource is known to be slow, whatever the environment's patience."""


class StallLevel(StrEnum):
    """How far past it is."""

    WARNING = "warning"
    CRITICAL = "critical"
    """So far that it will hardly end well, or AWS is about to give up."""


_SEVERITY: Final = (StallLevel.WARNING, StallLevel.CRITICAL)


class Stall(Value):
    """Nothing has been heard for `quiet_seconds`, and these resources are overdue."""

    stage: Stage
    level: StallLevel
    quiet_seconds: float
    overdue: tuple[ResourceProgress, ...]


class Limits(Value):
    """How long a resource may run before that is worth a warning, and a critical one."""

    warning_seconds: float
    critical_seconds: float

    def level_of(self, seconds: float) -> StallLevel | None:
        if seconds >= self.critical_seconds:
            return StallLevel.CRITICAL
        return StallLevel.WARNING if seconds >= self.warning_seconds else None


def limits_of(p90_seconds: float, ceiling_seconds: float | None = None) -> Limits:
    """Quick resources get five minutes' grace, and five more; a ceiling is where CloudFormation or the service gives up."""
    warning = max(_WARNING_FACTOR * p90_seconds, p90_seconds + _MARGIN_SECONDS)
    critical = max(_CRITICAL_FACTOR * p90_seconds, warning + _MARGIN_SECONDS)
    last = max(_SHARE_OF_CEILING * ceiling_seconds, p90_seconds) if ceiling_seconds else math.inf
    return Limits(warning_seconds=min(warning, last), critical_seconds=min(critical, last))


def stall_of(
    progress: Progress, *, now: datetime, stall_after_minutes: float, history: Sequence[PastOperation] = ()
) -> Stall | None:
    """The stall that an operation is in, if any.

    A resource is overdue past its own limits, which come from its history, else its type. Beside that, the simple rule:
    no event for `stall_after_minutes`, and something runs for as long that is not known to be slow, or nothing at all.
    An operation not seen yet, and one that only cleans up (CloudFormation tries removals thrice, hours apart) are none.
    """
    if progress.stage not in (Stage.DEPLOYING, Stage.ROLLING_BACK) or progress.last_event_at is None:
        return None
    quiet = (now - progress.last_event_at).total_seconds()
    judge = _Judge(Expectations(history, progress), patience_seconds=stall_after_minutes * 60, quiet_seconds=quiet)
    running = progress.in_state(ResourceState.RUNNING)
    levels = [judge.level_of(row) for row in running] if running else [judge.level_of_silence()]
    worst = max((level for level in levels if level), key=_SEVERITY.index, default=None)
    overdue = tuple(row for row, level in zip(running, levels, strict=False) if level)
    return Stall(stage=progress.stage, level=worst, quiet_seconds=quiet, overdue=overdue) if worst else None


@dataclass(frozen=True)
class _Judge:
    expectations: Expectations
    patience_seconds: float
    quiet_seconds: float

    def level_of(self, row: ResourceProgress) -> StallLevel | None:
        seconds, normal = row.seconds or 0.0, normal_of(row.resource_type)
        patience = max(self.patience_seconds, normal.silent_seconds or 0.0)
        if not self.expectations.knows(row):
            return self.level_of_silence(seconds / patience)
        p90 = self.expectations.of(row.logical_id, row.resource_type, action_of(row)).quantile(P90)
        limits = limits_of(p90, normal.ceiling_seconds)
        if p90 >= _SLOW_SECONDS or normal.silent_seconds:  # known to be slow: then only its own limits count
            return limits.level_of(seconds)
        return limits.level_of(seconds) or self.level_of_silence(seconds / patience)

    def level_of_silence(self, share_of_patience: float = math.inf) -> StallLevel | None:
        """By the simple rule; `share_of_patience`: how long the resource runs, as a share of what it is allowed."""
        share = min(self.quiet_seconds / self.patience_seconds, share_of_patience)
        return Limits(warning_seconds=1, critical_seconds=_CRITICAL_FACTOR).level_of(share)


class StallNews(StrEnum):
    """What is to be told of a stall."""

    STALLED = "stalled"
    MOVING_AGAIN = "moving again"


class StallMemory:
    """What has been told of an operation's stalls: one warning for each stage and level, and a line when it moves again.

    When it stands still again in the same stage, that is told only of other resources: an operation that moves and
    stands in turns must not fill the channel.
    """

    def __init__(self) -> None:
        self._told: set[tuple[Stage, StallLevel, str]] = set()
        self._open: Stall | None = None

    def news_of(self, stall: Stall | None) -> StallNews | None:
        """What to tell now; it is then taken as told."""
        if stall is None:
            was_told, self._open = self._open is not None, None
            return StallNews.MOVING_AGAIN if was_told else None
        names = {row.logical_id for row in stall.overdue} or {""}
        about = {(stall.stage, stall.level, name) for name in names}
        if not self._is_worse(stall) or about <= self._told:
            return None
        self._told |= about
        self._open = stall
        return StallNews.STALLED

    def _is_worse(self, stall: Stall) -> bool:
        if self._open is None or self._open.stage is not stall.stage:
            return True
        return _SEVERITY.index(stall.level) > _SEVERITY.index(self._open.level)
