"""The queue's two things with two names: a ticket waits, a hold runs."""

from collections.abc import Sequence

from pydantic import Field

from interlock.correlation_id import is_recovery_id
from interlock.models.base import Instant, Value


class Ticket(Value):
    """A deployment's place in its environment's queue. Dead from `expires_at` on, unless its heartbeat moves it."""

    environment: str
    correlation_id: str
    asked_at: Instant
    expires_at: Instant
    passes_locks: bool = False
    """As its deployment does: while a lock is on, nobody who heeds it is ahead of this one."""

    def is_alive(self, now: Instant) -> bool:
        return now < self.expires_at


class Hold(Value):
    """The exclusive right to an environment's stack. Live until `expires_at`, not at it.

    `fence` grows by one with each grant and never shrinks; `owner` is None once released, the fence stays.
    """

    environment: str
    owner: str | None
    fence: int = Field(ge=0)
    granted_at: Instant
    expires_at: Instant

    def is_live(self, now: Instant) -> bool:
        return self.owner is not None and now < self.expires_at

    @property
    def is_of_recovery(self) -> bool:
        """Its owner is no deployment and on no record: `interlock recover` continues the stack's failed rollback."""
        return self.owner is not None and is_recovery_id(self.owner)


def ahead_of(correlation_id: str, tickets: Sequence[Ticket], *, is_locked: bool) -> list[Ticket] | None:
    """Who goes before this deployment; None if it has no ticket. `tickets`: those that are alive, in their order.

    Those whom a lock holds in the queue do not hold up one whom it does not.
    """
    place = next((index for index, ticket in enumerate(tickets) if ticket.correlation_id == correlation_id), None)
    if place is None:
        return None
    goes_alone = is_locked and tickets[place].passes_locks
    return [ticket for ticket in tickets[:place] if ticket.passes_locks or not goes_alone]
