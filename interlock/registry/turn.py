"""Whose turn it is: the conditions of a claim that is not an adoption."""

from collections.abc import Iterable
from datetime import datetime

from interlock.errors import NotYourTurnError
from interlock.models.deployment import Deployment
from interlock.models.queue import Hold, Ticket
from interlock.registry.queue import ticket_lost


def insist_on_free(hold: Hold | None, deployment: Deployment, now: datetime, *, stack_is_quiet: bool) -> None:
    """Raises NotYourTurnError while the hold is live, or expired with an operation that may still run."""
    if hold is None or hold.owner is None:
        return
    if hold.is_live(now):
        raise _not_your_turn(f"{hold.owner} has the hold until {hold.expires_at:%H:%M:%S} UTC.", deployment)
    if not stack_is_quiet:
        raise _not_your_turn(f"The hold of {hold.owner} expired, but its operation must be adopted first.", deployment)


def insist_on_turn(tickets: Iterable[Ticket], deployment: Deployment, now: datetime) -> None:
    """`tickets` in their order. Raises TicketLostError without a living ticket, NotYourTurnError behind another one."""
    alive = [ticket.correlation_id for ticket in tickets if ticket.is_alive(now)]
    if deployment.correlation_id not in alive:
        raise ticket_lost(deployment.environment, deployment.correlation_id)
    if alive[0] != deployment.correlation_id:
        place = alive.index(deployment.correlation_id)
        raise _not_your_turn(f"{place} ahead in the queue, {alive[0]} is next.", deployment)


def _not_your_turn(message: str, deployment: Deployment) -> NotYourTurnError:
    return NotYourTurnError(
        message,
        environment=deployment.environment,
        correlation_id=deployment.correlation_id,
        next_step="Wait and claim again.",
    )
