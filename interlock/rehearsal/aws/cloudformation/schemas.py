"""What a resource type is like: CloudFormation's own schemas, read from where cfn-lint keeps them.

Read as files, because importing cfn-lint takes two seconds. A type without a schema is simply unknown.
"""

import importlib.util
import json
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def is_known(resource_type: str) -> bool:
    return resource_type in _index()


def creation_only(resource_type: str) -> frozenset[str]:
    """The top-level properties whose change needs a new physical resource."""
    paths = _schema(resource_type).get("createOnlyProperties", [])
    return frozenset(path.split("/")[2] for path in paths if path.count("/") == 2)  # noqa: PLR2004 - /properties/Name


def identifier(resource_type: str) -> str:
    """The member that identifies a resource (and that Ref gives, for most types), or an empty string."""
    identifiers = _schema(resource_type).get("primaryIdentifier", [])
    return _last(identifiers[-1]) if identifiers else ""


def attribute_type(resource_type: str, attribute: str) -> str | None:
    """The JSON type of an attribute, where the schema tells it."""
    schema = _schema(resource_type)
    node: Any = schema
    for part in attribute.split("."):
        node = _dereferenced(schema, node).get("properties", {}).get(part, {})
    kind = _dereferenced(schema, node).get("type")
    return kind if isinstance(kind, str) else None


def is_taggable(resource_type: str) -> bool:
    return bool(_schema(resource_type).get("tagging", {}).get("taggable"))


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _dereferenced(schema: Json, node: Json) -> Json:
    definition = node.get("$ref", "")
    return schema.get("definitions", {}).get(_last(definition), node) if definition else node


@lru_cache(maxsize=256)
def _schema(resource_type: str) -> Json:
    name = _index().get(resource_type)
    return _read(_directory() / "resources" / f"{name}.json") if name else {}


@cache
def _index() -> dict[str, str]:
    return _read(_directory() / "providers" / "us-east-1.json")


@cache
def _directory() -> Path:
    package = importlib.util.find_spec("cfnlint")
    places = package.submodule_search_locations if package else None
    return Path(next(iter(places)), "data", "schemas") if places else Path("absent")


def _read(path: Path) -> Json:
    # Another version of cfn-lint may keep its schemas elsewhere: the simulator then only knows less.
    return dict(json.loads(path.read_text())) if path.exists() else {}
