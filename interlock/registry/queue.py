"""The queue of each environment: tickets, kept alive by heartbeats, in the order of the requests."""

from contextlib import suppress
from datetime import datetime, timedelta

from interlock.clock import Clock
from interlock.errors import AlreadyFinishedError, TicketLostError
from interlock.models.queue import Ticket
from interlock.registry.keys import TICKETS, environment_partition, record_key, ticket_key
from interlock.registry.record import record_of
from interlock.registry.store import Check, ConflictError, Delete, Item, Put, Store, optimistically, version_of
from interlock.registry.values import attributes_of, value_of


def ticket_of(item: Item) -> Ticket:
    return value_of(Ticket, item.attributes)


def tickets_in(store: Store, environment: str) -> dict[Ticket, Item]:
    """All tickets, dead ones too, in their order."""
    found = {ticket_of(item): item for item in store.query(environment_partition(environment), TICKETS)}
    return dict(sorted(found.items(), key=lambda pair: (pair[0].asked_at, pair[0].correlation_id)))


class Queue:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def enqueue(
        self,
        environment: str,
        correlation_id: str,
        asked_at: datetime,
        *,
        lifetime_seconds: float,
        passes_locks: bool = False,
    ) -> Ticket:
        """A place in the queue. A ticket that is still alive keeps its place and its expiry; a dead one is replaced.

        Raises:
            AlreadyFinishedError: the deployment is final, nobody would take the ticket away again.
        """

        def attempt() -> Ticket:
            now = self._clock()
            item = self._store.get(ticket_key(environment, correlation_id))
            if item and ticket_of(item).is_alive(now):
                return ticket_of(item)
            ticket = Ticket(
                environment=environment,
                correlation_id=correlation_id,
                asked_at=asked_at,
                expires_at=now + timedelta(seconds=lifetime_seconds),
                passes_locks=passes_locks,
            )
            self._store.transact([_put(ticket, version_of(item)), self._not_final(correlation_id)])
            return ticket

        return optimistically(attempt)

    def heartbeat(self, ticket: Ticket, *, lifetime_seconds: float) -> Ticket:
        """Keep a ticket alive for so long from now.

        Raises:
            TicketLostError: it was removed, or it expired: somebody may have gone ahead of it.
        """

        def attempt() -> Ticket:
            now = self._clock()
            item = self._store.get(ticket_key(ticket.environment, ticket.correlation_id))
            if item is None or not ticket_of(item).is_alive(now):
                raise ticket_lost(ticket.environment, ticket.correlation_id)
            expires_at = now + timedelta(seconds=lifetime_seconds)
            renewed = ticket_of(item).model_copy(update={"expires_at": expires_at})
            self._store.transact([_put(renewed, item.version)])
            return renewed

        return optimistically(attempt)

    def waiting(self, environment: str) -> list[Ticket]:
        """The tickets that are alive, the next one first."""
        now = self._clock()
        return [ticket for ticket in tickets_in(self._store, environment) if ticket.is_alive(now)]

    def leave(self, environment: str, correlation_id: str) -> bool:
        """Give the place up. False if there was none: leaving twice changes nothing (promise 8)."""
        key = ticket_key(environment, correlation_id)

        def attempt() -> bool:
            item = self._store.get(key)
            if item is None:
                return False
            self._store.transact([Delete(key=key, expect=item.version)])
            return True

        return optimistically(attempt)

    def remove_dead(self, environment: str) -> list[Ticket]:
        """Remove the tickets that nobody keeps alive; answers those that this call removed."""
        now = self._clock()
        tickets = tickets_in(self._store, environment).items()
        return [ticket for ticket, item in tickets if not ticket.is_alive(now) and self._remove(item)]

    def _remove(self, item: Item) -> bool:
        with suppress(ConflictError):  # asked for anew, or removed by another sweep: not ours to remove
            self._store.transact([Delete(key=item.key, expect=item.version)])
            return True
        return False

    def _not_final(self, correlation_id: str) -> Check:
        """Insists on it up to the write: the sweep may finish a deployment whose process is about to enqueue again."""
        key = record_key(correlation_id)
        item = self._store.get(key)
        if item and record_of(item).is_final:
            raise AlreadyFinishedError("A deployment that is final cannot wait.", correlation_id=correlation_id)
        return Check(key=key, expect=version_of(item))


def ticket_lost(environment: str, correlation_id: str) -> TicketLostError:
    return TicketLostError(
        "The place in the queue is gone: its ticket expired or was removed.",
        environment=environment,
        correlation_id=correlation_id,
        next_step="Ask for a new place.",
    )


def _put(ticket: Ticket, expect: str) -> Put:
    return Put(
        key=ticket_key(ticket.environment, ticket.correlation_id), attributes=attributes_of(ticket), expect=expect
    )
