"""One suite, two stores without a network: SQLite, and DynamoDB on moto in this process."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from interlock.registry import Registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import Store
from tests.unit.registry.kit import FrozenClock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_REGION = "eu-central-1"
_tables = (f"registry-{number}" for number in itertools.count())


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def moto_client() -> "Iterator[DynamoDBClient]":
    with mock_aws():
        yield boto3.client("dynamodb", _REGION, aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
def new_moto_store(moto_client: "DynamoDBClient") -> Callable[[], DynamoDbStore]:
    def new() -> DynamoDbStore:
        store = DynamoDbStore(next(_tables), _REGION, client=moto_client)
        store.prepare()
        return store

    return new


@pytest.fixture(params=["sqlite", "moto"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FrozenClock) -> Store:
    if request.param == "moto":
        new: Callable[[], Store] = request.getfixturevalue("new_moto_store")
        return new()
    made = SqliteStore(tmp_path / "registry.db", clock=clock)
    made.prepare()
    return made


@pytest.fixture
def registry(store: Store, clock: FrozenClock) -> Registry:
    return Registry(store, clock=clock)
