"""Whether a deployment's process lives, judged by what only a living process does: keep its ticket or its hold alive.

Prefect's own run state does not tell: when a worker dies with its engines, their runs stay "Running" for good.
"""

from datetime import datetime, timedelta

from interlock.models.deployment import Deployment
from interlock.registry import Registry

GRACE = timedelta(seconds=90)
"""Before it waits, a deployment checks its request and beats no heart: so long may it be silent (slow S3, throttling)."""


def seconds_of_grace(registry: Registry, deployment: Deployment, now: datetime) -> float | None:
    """In how many seconds a silent deployment can be told dead; None if that is not a matter of its silence alone."""
    left = (deployment.updated_at + GRACE - now).total_seconds()
    if deployment.awaits_approval or left <= 0 or _has_a_place(registry, deployment):
        return None
    return left


def is_alive(registry: Registry, deployment: Deployment, now: datetime) -> bool:
    """It has a living hold or ticket, or has not been silent for longer than the checks of a request may take."""
    hold = registry.holds.current(deployment.environment)
    if hold and hold.owner == deployment.correlation_id:
        return hold.is_live(now)
    return _has_a_place(registry, deployment) or now - deployment.updated_at < GRACE


def _has_a_place(registry: Registry, deployment: Deployment) -> bool:
    """A ticket that lives, or the hold."""
    hold, waiting = registry.holds.current(deployment.environment), registry.queue.waiting(deployment.environment)
    owners = {hold.owner if hold else None, *(ticket.correlation_id for ticket in waiting)}
    return deployment.correlation_id in owners
