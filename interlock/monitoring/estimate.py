"""Estimates: how long an operation will still take, as a range."""

from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import mean
from typing import Final

from interlock.models.base import Value
from interlock.models.past_operation import PastOperation
from interlock.models.stack import Change
from interlock.monitoring.belief import P50, P90, Belief
from interlock.monitoring.outlook import Outlook
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState, Stage
from interlock.monitoring.resource_seconds import normal_of
from interlock.monitoring.schedule import NO_DEPENDENCIES, Dependencies

_ANY_DEPLOYMENT: Final = Belief.between(120, 900)
"""What a deployment takes of which nothing is known: a guess, and as wide as one."""
_BETWEEN_DEPLOYMENTS: Final = 0.5
"""How far an environment's deployments differ (a standard deviation of logarithms; a factor of 1.9 from p50 to p90)."""
_ALIKE: Final = 1.5
"""Observed seconds that differ by no more than this factor are taken for those of every resource of the stack."""
_SHARE_OF_OVERDUE: Final = 0.3


class Estimate(Value):
    """Seconds still to go: as likely less as more than `p50_seconds`; nine times in ten less than `p90_seconds`."""

    p50_seconds: float
    p90_seconds: float


def remaining(
    progress: Progress,
    *,
    now: datetime,
    changes: Sequence[Change] = (),
    dependencies: Dependencies = NO_DEPENDENCIES,
    history: Sequence[PastOperation] = (),
) -> Estimate | None:
    """What an operation will still take; None when it has ended, or nothing is known of it.

    `changes` are the change set's, `dependencies` the template's where it is at hand; `history` is of the same
    environment, the newest first.
    """
    if progress.stage is Stage.ENDED or not (progress.resources or history):
        return None
    if not progress.resources:  # a stranger's, or one adopted whose change set is gone, at its very start
        elapsed = (now - progress.started_at).total_seconds() if progress.started_at else 0.0
        return of_whole([past.seconds for past in history], elapsed_seconds=elapsed)
    return _range(Outlook(progress, now, changes, dependencies, history).seconds)


def of_whole(history: Sequence[float], *, elapsed_seconds: float = 0) -> Estimate:
    """What is left of a deployment of which nothing is known but what earlier ones took, and how long it has run."""
    belief = _ANY_DEPLOYMENT.learned(history, noise=_BETWEEN_DEPLOYMENTS)
    return _range(lambda q: belief.left(q, elapsed_seconds=elapsed_seconds))


def _range(left: Callable[[float], float]) -> Estimate:
    p50, p90 = left(P50), left(P90)
    return Estimate(p50_seconds=p50, p90_seconds=max(p50, p90))


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
