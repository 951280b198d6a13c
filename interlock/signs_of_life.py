"""Whether a deployment's process lives, judged by what only a living process does: keep its ticket or its hold alive.

Prefect's own run state does not tell: when a worker dies with its engines, their runs stay "Running" for good.
"""

from datetime import datetime, timedelta

from interlock.models.deployment import Deployment
from interlock.models.queue import Hold
from interlock.registry import Registry

GRACE = timedelta(seconds=90)
"""Before it waits, a deployment checks its request and beats no heart: so long may it be silent (slow S3, throttling)."""


def seconds_of_grace(registry: Registry, deployment: Deployment, now: datetime) -> float | None:
    """In how many seconds a silent deployment can be told dead; None if that is not a matter of its silence alone."""
    left = (deployment.updated_at + GRACE - now).total_seconds()
    if deployment.awaits_approval or left <= 0:
        return None
    if _own_hold(registry, deployment) or _has_ticket(registry, deployment):
        return None
    return left


def is_alive(registry: Registry, deployment: Deployment, now: datetime) -> bool:
    """It has a living hold or ticket, or has not been silent for longer than the checks of a request may take."""
    if hold := _own_hold(registry, deployment):
        return hold.is_live(now)
    return _has_ticket(registry, deployment) or now - deployment.updated_at < GRACE


def _own_hold(registry: Registry, deployment: Deployment) -> Hold | None:
    hold = registry.holds.current(deployment.environment)
    return hold if hold and hold.owner == deployment.correlation_id else None


def _has_ticket(registry: Registry, deployment: Deployment) -> bool:
    """One that lives."""
    waiting = registry.queue.waiting(deployment.environment)
    return any(ticket.correlation_id == deployment.correlation_id for ticket in waiting)
