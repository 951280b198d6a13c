"""Whether a deployment's process lives, judged by what only a living process does: keep its ticket or its hold alive.

Prefect's own run state does not tell: when a worker dies with its engines, their runs stay "Running" for good.
"""

from datetime import datetime, timedelta

from interlock.models.deployment import Deployment
from interlock.registry import Registry

GRACE = timedelta(seconds=90)
"""Before it waits, a deployment checks its request and beats no heart: so long may it be silent (slow S3, throttling)."""


def is_alive(registry: Registry, deployment: Deployment, now: datetime) -> bool:
    """It has a living hold or ticket, or has not been silent for longer than the checks of a request may take."""
    hold = registry.holds.current(deployment.environment)
    if hold and hold.owner == deployment.correlation_id:
        return hold.is_live(now)
    if any(
        ticket.correlation_id == deployment.correlation_id for ticket in registry.queue.waiting(deployment.environment)
    ):
        return True
    return now - deployment.updated_at < GRACE
