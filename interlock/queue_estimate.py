"""When will it be my turn: the holder's remaining time, and one deployment for each request ahead."""

import math
from collections.abc import Sequence
from datetime import datetime

from interlock.models.deployment import Deployment
from interlock.monitoring.estimate import Estimate, of_whole

_NOTHING = Estimate(p50_seconds=0, p90_seconds=0)


def expected_wait(
    holder: Deployment | None,
    history: Sequence[Deployment],
    *,
    ahead: int,
    now: datetime,
    stranger_since: datetime | None = None,
) -> Estimate:
    """The wait for a request with `ahead` others before it in the queue, behind `holder`.

    `history` is the environment's. `stranger_since`: when another tool's operation began, that must end first.
    """
    durations = [past.duration_seconds for past in history if past.duration_seconds and not past.no_changes]
    first = _NOTHING
    if holder:
        first = _of_holder(holder, durations, now)
    elif stranger_since:
        first = of_whole(durations, elapsed_seconds=(now - stranger_since).total_seconds())
    return _one_after_the_other([first, *[of_whole(durations)] * ahead])


def _of_holder(holder: Deployment, durations: Sequence[float], now: datetime) -> Estimate:
    """Its monitor knows best; before it says something, what deployments take here."""
    if holder.likely_finish and holder.late_finish:
        likely = max(0.0, (holder.likely_finish - now).total_seconds())
        return Estimate(p50_seconds=likely, p90_seconds=max(likely, (holder.late_finish - now).total_seconds()))
    elapsed = (now - holder.deploying_since).total_seconds() if holder.deploying_since else 0.0
    return of_whole(durations, elapsed_seconds=elapsed)


def _one_after_the_other(waits: Sequence[Estimate]) -> Estimate:
    """Deployments are late independently of each other: their margins add up as the sides of a right triangle do."""
    likely = sum(wait.p50_seconds for wait in waits)
    margin = math.hypot(*(wait.p90_seconds - wait.p50_seconds for wait in waits))
    return Estimate(p50_seconds=likely, p90_seconds=likely + margin)
