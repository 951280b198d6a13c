"""What only DynamoDB can get wrong: lost answers, answers cut short, tables of others."""

import multiprocessing
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.parsers import ResponseParserError

from interlock.errors import (
    AwsCredentialsError,
    CorrelationIdTakenError,
    InterlockError,
    PermanentError,
    RegistryUnavailableError,
    SettingsError,
)
from interlock.models.deployment import DeploymentStatus
from interlock.registry import Registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.registry.dynamodb_errors import translated_errors
from interlock.registry.store import ABSENT, ConflictError, Key, Put
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, claim, deployment, enqueue, event

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

A = Key("p", "a")
Spoil = Callable[..., None]


@pytest.fixture
def store(new_moto_store: Callable[[], DynamoDbStore]) -> DynamoDbStore:
    return new_moto_store()


@pytest.fixture
def spoil(moto_client: "DynamoDBClient") -> Iterator[Spoil]:
    """`spoil(event, handler)`: botocore's own events, undone afterwards."""
    events, hooks = moto_client.meta.events, []

    def register(name: str, handler: Callable[..., Any]) -> None:
        events.register_first(name, handler)
        hooks.append((name, handler))

    yield register
    for name, handler in hooks:
        events.unregister(name, handler)


def lose_answers(spoil: Spoil) -> list[int]:
    """Every transaction is applied, its answer is lost, and botocore sends it once more (moto knows no request tokens)."""
    lost: list[int] = []

    def lose(attempts: int, **_: Any) -> int | None:
        if attempts > 1:
            return None
        lost.append(attempts)
        return 0  # seconds until the retry

    spoil("needs-retry.dynamodb.TransactWriteItems", lose)
    return lost


def cut_short(spoil: Spoil, operation: str, times: int) -> None:
    """So many answers arrive as `{}`, without an error."""
    left = [times]

    def cut(parsed: dict[str, Any], **_: Any) -> None:
        if left[0] > 0:
            left[0] -= 1
            for name in parsed.keys() - {"ResponseMetadata"}:
                del parsed[name]

    spoil(f"after-call.dynamodb.{operation}", cut)


def test_applied_answer_lost_is_recognised_as_success_all_the_way(store: DynamoDbStore, spoil: Spoil) -> None:
    registry = Registry(store, clock=FrozenClock())
    lost = lose_answers(spoil)
    enqueue(registry, 1)
    hold = claim(registry, 1)
    registry.deployments.record(cid(1), events=[event("ONCE")])
    assert hold.fence == 1
    assert registry.holds.renew(hold, lifetime_seconds=5).fence == 1
    assert registry.deployments.finish(cid(1), DeploymentStatus.SUCCEEDED, events=[event("DONE")])
    assert registry.holds.release(hold)
    assert registry.leases.acquire("sweep", "a", lifetime_seconds=5)
    assert [one.event for one in registry.deployments.get(cid(1)).events] == ["ONCE", "DONE"]
    assert len(lost) == 8


def test_a_lost_answer_does_not_turn_a_conflict_into_success(store: DynamoDbStore, spoil: Spoil) -> None:
    registry = Registry(store, clock=FrozenClock())
    registry.deployments.register(deployment())
    lose_answers(spoil)
    with pytest.raises(CorrelationIdTakenError):
        registry.deployments.register(deployment())
    with pytest.raises(ConflictError):
        store.transact([Put(key=A, attributes={}, expect="another")])


@pytest.mark.parametrize("times", [1, 2])
def test_an_item_is_not_absent_because_an_answer_was_cut_short(store: DynamoDbStore, spoil: Spoil, times: int) -> None:
    registry = Registry(store, clock=FrozenClock())
    enqueue(registry, 1)
    hold = claim(registry, 1)
    for operation in ("GetItem", "Query", "BatchGetItem"):
        cut_short(spoil, operation, times)
    assert registry.holds.current(ENVIRONMENT) == hold
    assert [one.correlation_id for one in registry.deployments.history(ENVIRONMENT)] == [cid(1)]


def test_answers_that_are_always_cut_short_decide_nothing(store: DynamoDbStore, spoil: Spoil) -> None:
    for operation in ("GetItem", "Query", "BatchGetItem"):
        cut_short(spoil, operation, 1000)
    for read in (lambda: store.get(A), lambda: store.query("p", ""), lambda: store.get_many([A])):
        with pytest.raises(RegistryUnavailableError, match="cut short"):
            read()


def test_keys_that_dynamodb_leaves_out_are_asked_for_again(store: DynamoDbStore, spoil: Spoil) -> None:
    keys = [Key("p", str(number)) for number in range(3)]
    store.transact([Put(key=key, attributes={}, expect=ABSENT) for key in keys])

    def leave_out(parsed: dict[str, Any], **_: Any) -> None:
        ((table, items),) = parsed["Responses"].items()
        left_out = [{"pk": item["pk"], "sk": item["sk"]} for item in items[1:]]
        del items[1:]
        if left_out:
            parsed["UnprocessedKeys"] = {table: {"Keys": left_out, "ConsistentRead": True}}

    spoil("after-call.dynamodb.BatchGetItem", leave_out)
    assert [item.key for item in store.get_many(keys)] == keys


def test_another_table_is_not_taken_for_a_registry(moto_client: "DynamoDBClient") -> None:
    moto_client.create_table(
        TableName="orders",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    with pytest.raises(SettingsError, match="orders is not an Interlock registry"):
        DynamoDbStore("orders", "eu-central-1", client=moto_client).prepare()


def test_a_missing_table_says_how_to_make_it(moto_client: "DynamoDBClient") -> None:
    registry = Registry(DynamoDbStore("missing", "eu-central-1", client=moto_client))
    with pytest.raises(SettingsError, match="interlock setup"):
        registry.deployments.get(cid(1))
    with pytest.raises(SettingsError, match="interlock setup"):
        registry.deployments.register(deployment())


def test_the_table_expires_what_has_a_time(store: DynamoDbStore, moto_client: "DynamoDBClient") -> None:
    ttl = moto_client.describe_time_to_live(TableName=store._table)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires")


def refusal(code: str, *reasons: str) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "CancellationReasons": [{"Code": one} for one in reasons]}
    return ClientError(answer, "TransactWriteItems")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("TransactionCanceledException", "None", "ConditionalCheckFailed"), ConflictError),
        (refusal("TransactionCanceledException", "TransactionConflict", "None"), ConflictError),
        (refusal("TransactionCanceledException", "ThrottlingError"), RegistryUnavailableError),
        (refusal("TransactionInProgressException"), RegistryUnavailableError),
        (refusal("ProvisionedThroughputExceededException"), RegistryUnavailableError),
        (refusal("InternalServerError"), RegistryUnavailableError),
        (refusal("SomethingNew"), RegistryUnavailableError),
        (refusal("ResourceNotFoundException"), SettingsError),
        (refusal("AccessDeniedException"), AwsCredentialsError),
        (refusal("ValidationException"), PermanentError),
        (NoCredentialsError(), AwsCredentialsError),
        (EndpointConnectionError(endpoint_url="http://x"), RegistryUnavailableError),
        (ResponseParserError("no JSON"), RegistryUnavailableError),
    ],
)
def test_errors_of_aws_become_ours(error: Exception, expected: type[InterlockError]) -> None:
    with pytest.raises(InterlockError) as raised, translated_errors("t"):
        raise error
    assert type(raised.value) is expected


def client_number(store: DynamoDbStore, answers: Any) -> None:
    answers.put(id(store._client))


def test_a_connection_pool_does_not_cross_a_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    store = DynamoDbStore("table", "eu-central-1")
    parents = store._client
    assert store._client is parents
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()
    child = fork.Process(target=client_number, args=(store, answers), daemon=True)
    child.start()
    assert answers.get() != id(parents)
    child.join(10)
