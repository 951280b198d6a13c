from datetime import timedelta

import pytest

from interlock.errors import AlreadyFinishedError, TicketLostError
from interlock.models.deployment import DeploymentStatus
from interlock.models.queue import Ticket
from interlock.registry import Registry
from tests.unit.registry.kit import ENVIRONMENT, NOON, TICKET_SECONDS, FrozenClock, cid, deployment


def ask(registry: Registry, number: int, *, second: int | None = None) -> Ticket:
    """Ask for a place as of that second after noon."""
    asked_at = NOON + timedelta(seconds=number if second is None else second)
    return registry.queue.enqueue(ENVIRONMENT, cid(number), asked_at, lifetime_seconds=TICKET_SECONDS)


def waiting(registry: Registry) -> list[str]:
    return [ticket.correlation_id for ticket in registry.queue.waiting(ENVIRONMENT)]


def test_tickets_wait_in_the_order_they_were_asked_for_not_taken(registry: Registry) -> None:
    for number in (3, 1, 2):
        ask(registry, number)
    assert waiting(registry) == [cid(1), cid(2), cid(3)]


def test_at_one_instant_the_correlation_id_orders(registry: Registry) -> None:
    for number in (2, 3, 1):
        ask(registry, number, second=0)
    assert waiting(registry) == [cid(1), cid(2), cid(3)]


def test_environments_have_queues_of_their_own(registry: Registry) -> None:
    ask(registry, 1)
    assert registry.queue.waiting("production") == []


def test_asking_again_keeps_the_place(registry: Registry, clock: FrozenClock) -> None:
    first = ask(registry, 1)
    ask(registry, 2)
    clock.advance(10)
    assert ask(registry, 1, second=50) == first
    assert waiting(registry) == [cid(1), cid(2)]


def test_a_ticket_is_dead_at_its_expiry_and_alive_just_before(registry: Registry, clock: FrozenClock) -> None:
    ticket = ask(registry, 1)
    clock.now = ticket.expires_at - timedelta(microseconds=1)
    assert waiting(registry) == [cid(1)]
    clock.now = ticket.expires_at
    assert waiting(registry) == []
    with pytest.raises(TicketLostError, match=cid(1)):
        registry.queue.heartbeat(ticket, lifetime_seconds=TICKET_SECONDS)


def test_a_dead_ticket_is_replaced(registry: Registry, clock: FrozenClock) -> None:
    ask(registry, 1)
    ask(registry, 2)
    clock.advance(TICKET_SECONDS)
    ask(registry, 2)
    assert ask(registry, 1, second=30).asked_at == NOON + timedelta(seconds=30)
    assert waiting(registry) == [cid(2), cid(1)]


def test_a_heartbeat_counts_from_now(registry: Registry, clock: FrozenClock) -> None:
    ticket = ask(registry, 1)
    clock.advance(TICKET_SECONDS - 1)
    renewed = registry.queue.heartbeat(ticket, lifetime_seconds=TICKET_SECONDS)
    assert renewed.expires_at == clock.now + timedelta(seconds=TICKET_SECONDS)
    assert registry.queue.waiting(ENVIRONMENT) == [renewed]


def test_promise_8_leaving_twice_changes_nothing(registry: Registry) -> None:
    ticket = ask(registry, 1)
    ask(registry, 2)
    assert registry.queue.leave(ENVIRONMENT, cid(1))
    assert not registry.queue.leave(ENVIRONMENT, cid(1))
    assert waiting(registry) == [cid(2)]
    with pytest.raises(TicketLostError):
        registry.queue.heartbeat(ticket, lifetime_seconds=TICKET_SECONDS)


def test_promise_8_removing_the_dead_leaves_the_living_and_is_done_once(registry: Registry, clock: FrozenClock) -> None:
    dead = ask(registry, 1)
    clock.advance(1)
    ask(registry, 2)
    clock.now = dead.expires_at
    assert registry.queue.remove_dead(ENVIRONMENT) == [dead]
    assert registry.queue.remove_dead(ENVIRONMENT) == []
    assert waiting(registry) == [cid(2)]


def test_a_final_deployment_gets_no_ticket(registry: Registry) -> None:
    registry.deployments.register(deployment())
    registry.deployments.finish(cid(1), DeploymentStatus.CANCELLED)
    with pytest.raises(AlreadyFinishedError, match=cid(1)):
        ask(registry, 1)
    assert waiting(registry) == []
