"""Items and writes in DynamoDB's notation: `pk`, `sk`, `body` (JSON), `version`, `ix` and `ixsort`, `expires`.

The body is a JSON text and not a map: numbers come back as they went in, and empty strings need no care.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from interlock.registry.store import ABSENT, Check, Delete, IndexEntry, Item, Key, Put, Write
from interlock.registry.timestamps import from_epoch


def raw_key(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.partition}, "sk": {"S": key.sort}}


def key_of(raw: Mapping[str, Any]) -> Key:
    return Key(raw["pk"]["S"], raw["sk"]["S"])


def item_of(raw: Mapping[str, Any]) -> Item:
    return Item(
        key=key_of(raw),
        attributes=json.loads(raw["body"]["S"]),
        version=raw["version"]["S"],
        index=IndexEntry(raw["ix"]["S"], raw["ixsort"]["S"]) if "ix" in raw else None,
        expires_at=from_epoch(float(raw["expires"]["N"])) if "expires" in raw else None,
    )


def as_write(table: str, write: Write, version: str) -> dict[str, Any]:
    """One of `TransactItems`."""
    condition = {"TableName": table, **_condition(write.expect)}
    match write:
        case Put():
            return {"Put": {"Item": _raw_item(write, version), **condition}}
        case Delete():
            return {"Delete": {"Key": raw_key(write.key), **condition}}
        case Check():
            return {"ConditionCheck": {"Key": raw_key(write.key), **condition}}


def _raw_item(put: Put, version: str) -> dict[str, Any]:
    raw = {**raw_key(put.key), "body": {"S": json.dumps(put.attributes)}, "version": {"S": version}}
    if put.index:
        raw |= {"ix": {"S": put.index.name}, "ixsort": {"S": put.index.sort}}
    if put.expires_at:
        raw |= {"expires": {"N": str(math.ceil(put.expires_at.timestamp()))}}  # TTL knows whole seconds only
    return raw


def _condition(expect: str | None) -> dict[str, Any]:
    if expect is None:
        return {}
    if expect == ABSENT:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"S": expect}},
    }
