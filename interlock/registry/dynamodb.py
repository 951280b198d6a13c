"""The registry in one DynamoDB table, for any number of machines. Imported by its users only: boto3 is slow.

Two dangers live here. *Applied, answer lost*: a retried transaction fails on its own success. The request token helps
where the endpoint honours it, and the version helps everywhere: it is minted here, so an item that carries it is ours.
*A 200 cut short* reads as `{}`, just like an item that is not there: so every read asks for something that a whole
answer always has, and looks again when it is missing.
"""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from interlock.errors import RegistryUnavailableError
from interlock.registry import dynamodb_table
from interlock.registry.dynamodb_errors import translated_errors
from interlock.registry.dynamodb_items import as_write, item_of, key_of, raw_key
from interlock.registry.store import ConflictError, Item, Key, Put, Write, insist_on_size

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOOKS = 3
_MOST_KEYS = 100  # of one BatchGetItem
_CONFIG = Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=25,
)


class DynamoDbStore:
    """A `Store` in `table`. AWS is found by boto3's own rules (`AWS_ENDPOINT_URL`...) unless `client` is given."""

    def __init__(self, table: str, region: str, *, client: "DynamoDBClient | None" = None) -> None:
        self._table = table
        self._region = region
        self._given = client
        self._made: tuple[int, DynamoDBClient] | None = None

    def prepare(self) -> None:
        """Make the table with its index and its expiry, wait until it is active.

        Raises:
            SettingsError: a table of this name exists and is not a registry.
        """
        with translated_errors(self._table):
            dynamodb_table.prepare(self._client, self._table)

    def complaints(self) -> list[str]:
        """What `prepare()` would mend or refuse; reads alone."""
        with translated_errors(self._table):
            return dynamodb_table.complaints(self._client, self._table)

    def get(self, key: Key) -> Item | None:
        request = {"TableName": self._table, "Key": raw_key(key), "ConsistentRead": True}
        answer = self._whole(self._client.get_item, **request, ReturnConsumedCapacity="TOTAL")
        return item_of(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key]) -> list[Item]:
        found: dict[Key, Item] = {}
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _MOST_KEYS):
            found |= {item.key: item for item in self._batch(wanted[start : start + _MOST_KEYS])}
        return [found[key] for key in keys if key in found]

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk" + (" AND begins_with(sk, :sk)" if sort_prefix else ""),
            "ExpressionAttributeValues": {":pk": {"S": partition}}
            | ({":sk": {"S": sort_prefix}} if sort_prefix else {}),
            "ConsistentRead": True,
            "ScanIndexForward": not descending,
        } | ({"Limit": limit} if limit else {})
        return [item_of(raw) for raw in islice(self._pages(request), limit)]

    def keys_in_index(self, name: str) -> list[Key]:
        request = {
            "IndexName": dynamodb_table.INDEX,
            "KeyConditionExpression": "ix = :ix",
            "ExpressionAttributeValues": {":ix": {"S": name}},
        }
        return [key_of(raw) for raw in self._pages(request)]

    def transact(self, writes: Sequence[Write]) -> None:
        insist_on_size(writes)
        if not writes:
            return  # DynamoDB calls that an error
        version = uuid.uuid4().hex
        requests: list[Any] = [as_write(self._table, write, version) for write in writes]
        try:
            with translated_errors(self._table):
                self._client.transact_write_items(TransactItems=requests, ClientRequestToken=version)
        except ConflictError:
            if not self._has_written(writes, version):
                raise

    def _has_written(self, writes: Sequence[Write], version: str) -> bool:
        """Whether an earlier try of this very transaction succeeded: all was written if any of it was."""
        return any(
            item.version == version for item in self.get_many([write.key for write in writes if isinstance(write, Put)])
        )

    def _batch(self, keys: Sequence[Key]) -> Iterator[Item]:
        pending: Mapping[str, Any] = {self._table: {"Keys": [raw_key(key) for key in keys], "ConsistentRead": True}}
        for _ in range(len(keys)):  # each answer brings at least one item, or throttling ends it
            answer = self._whole(self._client.batch_get_item, RequestItems=pending)
            yield from map(item_of, answer.get("Responses", {}).get(self._table, ()))
            pending = answer.get("UnprocessedKeys") or {}
            if not pending:
                return
        raise RegistryUnavailableError(f"DynamoDB keeps part of its answers back (table {self._table}).")

    def _pages(self, request: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        start: dict[str, Any] = {}
        while True:
            page = self._whole(self._client.query, TableName=self._table, **request, **start)
            yield from page.get("Items", ())
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _whole(self, read: Callable[..., Any], **request: Any) -> Mapping[str, Any]:
        """What `read` answers once the answer holds anything at all: one cut short holds nothing (promise 10)."""
        for _ in range(_LOOKS):
            with translated_errors(self._table):
                answer: Mapping[str, Any] = read(**request)
            if answer.keys() - {"ResponseMetadata"}:
                return answer
        raise RegistryUnavailableError(
            f"DynamoDB's answers are cut short (table {self._table}, {_LOOKS} times in a row).",
            next_step="Check the network between this machine and AWS.",
        )

    @property
    def _client(self) -> "DynamoDBClient":
        """One a process: a connection pool must not cross a fork."""
        if self._given is not None:
            return self._given
        if self._made is None or self._made[0] != os.getpid():
            with translated_errors(self._table):
                client = boto3.session.Session().client("dynamodb", region_name=self._region, config=_CONFIG)
            self._made = (os.getpid(), client)
        return self._made[1]
