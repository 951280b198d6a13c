"""Whose turn it is: the conditions of a claim that is not an adoption."""

from collections.abc import Callable, Iterable
from datetime import datetime

from interlock.errors import NotYourTurnError
from interlock.models.deployment import Deployment
from interlock.models.lock import Lock
from interlock.models.queue import Hold, Ticket, ahead_of
from interlock.registry.queue import ticket_lost


def insist_on_free(hold: Hold | None, deployment: Deployment, now: datetime, *, stack_is_quiet: bool) -> None:
    """Raises NotYourTurnError while the hold is live, or expired with an operation that may still run."""
    if hold is None or hold.owner is None:
        return
    if hold.is_live(now):
        raise _not_your_turn(f"{hold.owner} has the hold until {hold.expires_at:%H:%M:%S} UTC.", deployment)
    if not stack_is_quiet:
        raise _not_your_turn(f"The hold of {hold.owner} expired, but its operation must be adopted first.", deployment)


def insist_on_left_behind(
    hold: Hold | None, environment: str, now: datetime, *, is_settled: Callable[[str], bool]
) -> None:
    """The condition of a recovery's claim. Raises NotYourTurnError while the hold is live, or its owner not settled."""
    if hold is None or hold.owner is None:
        return
    if hold.is_live(now):
        raise NotYourTurnError(
            f"{hold.owner} has the hold until {hold.expires_at:%H:%M:%S} UTC.",
            environment=environment,
            next_step=f"Wait for its end: `interlock status {environment}`.",
        )
    if not is_settled(hold.owner):
        raise NotYourTurnError(
            f"{hold.owner} has the hold, and its process shows no sign of life.",
            environment=environment,
            next_step="`interlock sweep` closes it; then try again.",
        )


def insist_on_turn(tickets: Iterable[Ticket], deployment: Deployment, now: datetime, lock: Lock | None) -> None:
    """`tickets` in their order. Raises TicketLostError without a living ticket, NotYourTurnError behind another one."""
    alive = [ticket for ticket in tickets if ticket.is_alive(now)]
    ahead = ahead_of(deployment.correlation_id, alive, is_locked=lock is not None)
    if ahead is None:
        raise ticket_lost(deployment.environment, deployment.correlation_id)
    if ahead:
        raise _not_your_turn(f"{len(ahead)} ahead in the queue, {ahead[0].correlation_id} is next.", deployment)


def insist_on_unlocked(lock: Lock | None, deployment: Deployment) -> None:
    """Raises NotYourTurnError while a lock is on that the deployment heeds."""
    if lock is not None and not deployment.passes_locks:
        raise _not_your_turn(f"The environment is {lock.in_words}.", deployment)


def _not_your_turn(message: str, deployment: Deployment) -> NotYourTurnError:
    return NotYourTurnError(
        message,
        environment=deployment.environment,
        correlation_id=deployment.correlation_id,
        next_step="Wait and claim again.",
    )
