"""What the registry calls in DynamoDB, over a deployment's whole life, is what the roles allow: no less and no more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from interlock.models.deployment import DeploymentStatus
from interlock.registry import Registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.registry.store import Check, Delete, Put, Write
from interlock.rehearsal.aws.process import RehearsalAws
from tests.roles import actions
from tests.unit.registry.kit import ENVIRONMENT, TICKET_SECONDS, FrozenClock, cid, claim, enqueue, event, notice

PARTS = {Put: "dynamodb:PutItem", Delete: "dynamodb:DeleteItem", Check: "dynamodb:ConditionCheckItem"}
"""IAM knows no TransactWriteItems: each part of a transaction needs its own right."""


class NotingStore(DynamoDbStore):
    """Notes of what its transactions are made: the log of calls does not tell."""

    def __init__(self, store: DynamoDbStore) -> None:
        super().__init__(store._table, store._region, client=store._client)
        self.parts: set[str] = set()

    def transact(self, writes: Sequence[Write]) -> None:
        self.parts |= {PARTS[type(write)] for write in writes}
        super().transact(writes)


@pytest.fixture
def noting(store: DynamoDbStore) -> NotingStore:
    return NotingStore(store)


@contextmanager
def calls_of(aws: RehearsalAws) -> Iterator[set[str]]:
    """The actions, once this is left; those within a transaction not."""
    begin, found = len(aws.log()), set[str]()
    yield found
    found |= {f"{one['service']}:{one['action']}" for one in aws.log()[begin:]} - {"dynamodb:TransactWriteItems"}


def test_the_worker_is_allowed_exactly_what_a_life_of_the_registry_calls(
    registry_aws: RehearsalAws, noting: NotingStore, clock: FrozenClock
) -> None:
    registry = Registry(noting, clock=clock)
    with calls_of(registry_aws) as called:
        _live(registry)
    assert called | noting.parts == actions("worker-role.yaml", "Registry")


def test_the_doctors_look_at_the_table_is_allowed(registry_aws: RehearsalAws, store: DynamoDbStore) -> None:
    with calls_of(registry_aws) as called:
        assert store.complaints() == []
    assert called == actions("worker-role.yaml", "DoctorRegistry")


def test_people_who_look_need_no_more_than_the_read_only_role(
    registry_aws: RehearsalAws, noting: NotingStore, clock: FrozenClock
) -> None:
    registry = Registry(noting, clock=clock)
    _live(registry)
    noting.parts.clear()
    with calls_of(registry_aws) as called:
        registry.deployments.get(cid(1))
        registry.deployments.history(ENVIRONMENT)
        registry.outbox.rows(cid(1))
        registry.holds.current(ENVIRONMENT)
        registry.queue.waiting(ENVIRONMENT)
    assert called | noting.parts == actions("read-only-role.yaml", "Registry")


def _live(registry: Registry) -> None:
    enqueue(registry, 1)
    enqueue(registry, 2)
    ticket = next(one for one in registry.queue.waiting(ENVIRONMENT) if one.correlation_id == cid(1))
    registry.queue.heartbeat(ticket, lifetime_seconds=TICKET_SECONDS)
    hold = registry.holds.renew(claim(registry, 1), lifetime_seconds=TICKET_SECONDS)
    registry.deployments.record(cid(1), events=[event("STEP")], notices=[notice()])
    registry.deployments.active()
    for row in registry.outbox.rows(cid(1)):
        registry.outbox.update(row)
    registry.outbox.undelivered()
    registry.leases.acquire("sweep", "us", lifetime_seconds=60)
    registry.leases.release("sweep", "us")
    registry.deployments.finish(cid(1), DeploymentStatus.SUCCEEDED)
    registry.holds.release(hold)
    registry.queue.leave(ENVIRONMENT, cid(2))
