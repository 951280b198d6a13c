"""The same suite, over HTTP: DynamoDB of the simulated AWS, whose answers can be lost or cut short on demand."""

import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from interlock.registry import Registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.rehearsal.aws.process import RehearsalAws
from tests.unit.registry.kit import FrozenClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_tables = (f"registry-{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def registry_aws() -> Iterator[RehearsalAws]:
    with RehearsalAws() as aws:
        yield aws


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def new_store(registry_aws: RehearsalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], DynamoDbStore]]:
    """Stores of one new table, each with a client of its own, as processes have them."""
    for name, value in registry_aws.environment().items():
        monkeypatch.setenv(name, value)
    table = next(_tables)
    DynamoDbStore(table, "us-east-1").prepare()
    yield lambda: DynamoDbStore(table, "us-east-1")
    registry_aws.set_faults([])


@pytest.fixture(scope="session")
def registry_client(registry_aws: RehearsalAws) -> "DynamoDBClient":
    """Made once: making one takes a quarter of a second."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in registry_aws.environment().items():
            patch.setenv(name, value)
        return DynamoDbStore("any", "us-east-1")._client


@pytest.fixture
def store(registry_aws: RehearsalAws, registry_client: "DynamoDBClient") -> Iterator[DynamoDbStore]:
    store = DynamoDbStore(next(_tables), "us-east-1", client=registry_client)
    store.prepare()
    yield store
    registry_aws.set_faults([])


@pytest.fixture
def registry(store: DynamoDbStore, clock: FrozenClock) -> Registry:
    return Registry(store, clock=clock)
