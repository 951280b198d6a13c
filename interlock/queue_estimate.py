"""When will it be my turn: the holder's remaining time, and one deployment for each request ahead."""

from collections.abc import Sequence
from datetime import datetime

from interlock.models.deployment import Deployment
from interlock.monitoring.estimate import Estimate, from_history

UNKNOWN = Estimate(p50_seconds=120, p90_seconds=900)
"""A deployment of which nothing is known: a guess, and as wide as one."""


def expected_wait(holder: Deployment | None, history: Sequence[Deployment], *, ahead: int, now: datetime) -> Estimate:
    """The wait for a request with `ahead` others before it in the queue, behind `holder`."""
    typical = _typical(history)
    current = _remaining(holder, typical, history, now) if holder else Estimate(p50_seconds=0, p90_seconds=0)
    return Estimate(
        p50_seconds=current.p50_seconds + ahead * typical.p50_seconds,
        p90_seconds=current.p90_seconds + ahead * typical.p90_seconds,
    )


def _remaining(holder: Deployment, typical: Estimate, history: Sequence[Deployment], now: datetime) -> Estimate:
    if holder.likely_finish and holder.late_finish:
        likely = max(0.0, (holder.likely_finish - now).total_seconds())
        return Estimate(p50_seconds=likely, p90_seconds=max(likely, (holder.late_finish - now).total_seconds()))
    elapsed = (now - holder.deploying_since).total_seconds() if holder.deploying_since else 0.0
    return from_history(_durations(history), elapsed_seconds=elapsed) or typical


def _typical(history: Sequence[Deployment]) -> Estimate:
    """What one deployment takes here: by the earlier ones, even a single one, else a guess."""
    durations = _durations(history)
    if found := from_history(durations):
        return found
    return Estimate(p50_seconds=min(durations), p90_seconds=2 * max(durations)) if durations else UNKNOWN


def _durations(history: Sequence[Deployment]) -> list[float]:
    return [past.duration_seconds for past in history if past.duration_seconds is not None and not past.no_changes]
