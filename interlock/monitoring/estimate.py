"""Estimates: how long an operation will still take, as a range."""

from collections.abc import Sequence
from datetime import datetime
from statistics import mean, quantiles

from interlock.models.base import Value
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState, Stage
from interlock.monitoring.resource_seconds import normal_of

_FEWEST_EARLIER = 3
"""Fewer earlier durations than this say too little."""
_ALIKE = 1.5
"""Observed seconds that differ by no more than this factor are taken for those of every resource of the stack."""
_SHARE_OF_OVERDUE = 0.3
_TAIL_OF_OBSERVED = 1.5
_TAIL_OF_TABLE = 2.5
"""p90 as a multiple of p50: averages hide tails, most of all averages over other people's stacks."""


class Estimate(Value):
    """Seconds still to go: as likely less as more than `p50_seconds`; nine times in ten less than `p90_seconds`."""

    p50_seconds: float
    p90_seconds: float


def remaining(progress: Progress, *, now: datetime, history: Sequence[float] = ()) -> Estimate | None:
    """What an operation will still take; None when it has ended, or nothing is known of it."""
    if progress.stage is Stage.ENDED:
        return None
    elapsed = (now - progress.started_at).total_seconds() if progress.started_at else 0.0
    return from_history(history, elapsed_seconds=elapsed) or _from_resources(progress, now)


def from_history(history: Sequence[float], *, elapsed_seconds: float = 0) -> Estimate | None:
    """From what earlier deployments of the environment took; None when they are too few, or all were quicker."""
    longer = sorted(seconds - elapsed_seconds for seconds in history if seconds > elapsed_seconds)
    if len(history) < _FEWEST_EARLIER or not longer:
        return None
    if len(longer) == 1:
        return Estimate(p50_seconds=longer[0], p90_seconds=longer[0])
    deciles = quantiles(longer, n=10, method="inclusive")
    return Estimate(p50_seconds=deciles[4], p90_seconds=deciles[8])


def work_left_seconds(progress: Progress, now: datetime) -> float | None:
    """Seconds until the resources are done, from what this very operation has shown so far, else from the table.

    As much of the work is assumed to go on at once as has done so on average.
    """
    running, waiting = progress.in_state(ResourceState.RUNNING), progress.in_state(ResourceState.WAITING)
    if progress.started_at is None or not running + waiting:
        return None
    left = [_left_of(each, progress) for each in running]
    work = sum(left) + sum(_expected(each, progress) for each in waiting)
    return max([work / _at_once(progress, now), *left])


def _left_of(resource: ResourceProgress, progress: Progress) -> float:
    """What is overdue will be so for a while: the longer it has been, the longer."""
    left = _expected(resource, progress) - (resource.seconds or 0.0)
    return left if left > 0 else _SHARE_OF_OVERDUE * -left


def is_well_known(progress: Progress) -> bool:
    """Whether this operation has shown enough to foretell its end from: resources alike, and none overdue."""
    seconds = _observed(progress)
    running = [each.seconds or 0.0 for each in progress.in_state(ResourceState.RUNNING)]
    # One observation alone may be an exception.
    return len(seconds) >= 2 and _are_alike(seconds) and max(running, default=0.0) <= _ALIKE * mean(seconds)  # noqa: PLR2004 (as said)


def _from_resources(progress: Progress, now: datetime) -> Estimate | None:
    left = work_left_seconds(progress, now)
    if left is None:
        return None
    tail = _TAIL_OF_OBSERVED if is_well_known(progress) else _TAIL_OF_TABLE
    return Estimate(p50_seconds=left, p90_seconds=left * tail)


def _expected(resource: ResourceProgress, progress: Progress) -> float:
    if same := _observed(progress, resource.resource_type):
        return mean(same)
    if is_well_known(progress):
        return mean(_observed(progress))
    return normal_of(resource.resource_type).seconds_of(resource.status)


def _observed(progress: Progress, resource_type: str | None = None) -> list[float]:
    done = (each for each in progress.in_state(ResourceState.DONE) if resource_type in (None, each.resource_type))
    return [each.seconds for each in done if each.seconds is not None]


def _are_alike(seconds: Sequence[float]) -> bool:
    return max(seconds) <= _ALIKE * max(min(seconds), 0.1)


def _at_once(progress: Progress, now: datetime) -> float:
    """How many resources have been worked on at once, on average; less than one when there are gaps between them."""
    if progress.started_at is None:
        return 1.0
    busy = sum(each.seconds or 0.0 for each in progress.resources)
    elapsed = (now - progress.started_at).total_seconds()
    return max(busy / elapsed, 0.5) if elapsed > 0 and busy > 0 else 1.0
