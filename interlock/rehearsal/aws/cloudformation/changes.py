"""What deploying a blueprint would change: the content of a change set."""

import json
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from interlock.cloudformation.dependencies import references
from interlock.rehearsal.aws.cloudformation import schemas
from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.dependencies import graph_of, in_order
from interlock.rehearsal.aws.cloudformation.errors import invalid
from interlock.rehearsal.aws.cloudformation.lookups import AFTER_DEPLOYMENT
from interlock.rehearsal.aws.cloudformation.state import Blueprint, Json, Resource, Stack


@dataclass
class Plan:
    changes: list[Json] = field(default_factory=list)
    is_empty: bool = True
    """Nothing at all would change: AWS refuses such a change set."""


def plan(stack: Stack, blueprint: Blueprint, cloud: Cloud) -> Plan:
    """Raises:
    RefusalError: a resource would change its type.
    """
    pending: set[str] = set()
    resolver = cloud.resolver(stack, blueprint, pending)
    wanted = resolver.resources()
    _check_types(stack, wanted)
    changes = []
    for name in in_order(graph_of(wanted)):
        change = _change(stack.resources.get(name), name, wanted[name], resolver.properties(wanted[name]), blueprint)
        if change:
            changes.append(change)
            if change["Action"] == "Add" or change["Replacement"] != "False":
                pending.add(name)
    changes += [_removal(resource) for name, resource in stack.resources.items() if name not in wanted]
    is_same = resolver.outputs() == stack.outputs and blueprint.tags == stack.blueprint.tags
    return Plan([{"Type": "Resource", "ResourceChange": change} for change in changes], not changes and is_same)


def changed_properties(old: Json, new: Json) -> set[str]:
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def is_replaced(resource_type: str, changed: AbstractSet[str]) -> bool:
    return bool(changed & schemas.creation_only(resource_type))


def is_changed(old: Resource, definition: Json, properties: Json, tags: dict[str, str]) -> bool:
    return bool(_scope(old, definition, properties, tags))


def _scope(old: Resource, definition: Json, properties: Json, tags: dict[str, str]) -> list[str]:
    parts = {
        "Properties": old.properties != properties,
        "Metadata": old.definition.get("Metadata") != definition.get("Metadata"),
        "Tags": old.tags != tags and schemas.is_taggable(old.resource_type),
    }
    return [name for name, differs in parts.items() if differs]


def _change(old: Resource | None, name: str, definition: Json, properties: Json, blueprint: Blueprint) -> Json | None:
    if old is None:
        return {
            "Action": "Add",
            "LogicalResourceId": name,
            "ResourceType": definition["Type"],
            "Scope": [],
            "Details": [],
        }
    scope = _scope(old, definition, properties, blueprint.tags)
    if not scope:
        return None
    changed = sorted(changed_properties(old.properties, properties))
    replacement = _replacement(old.resource_type, changed, properties)
    return {
        "Action": "Modify",
        "LogicalResourceId": name,
        "PhysicalResourceId": old.physical_id,
        "ResourceType": old.resource_type,
        "Replacement": replacement,
        "PolicyAction": "ReplaceAndDelete" if replacement == "True" else None,
        "Scope": scope,
        "Details": [
            *(_detail(old, definition, properties, property_name, blueprint) for property_name in changed),
            *(_plain_detail(part) for part in scope if part != "Properties"),
        ],
    }


def _replacement(resource_type: str, changed: list[str], properties: Json) -> str:
    replacing = schemas.creation_only(resource_type) & set(changed)
    if not replacing:
        return "False"
    return "Conditional" if all(_is_dynamic(properties.get(name)) for name in replacing) else "True"


def _is_dynamic(value: Any) -> bool:
    return AFTER_DEPLOYMENT in json.dumps(value, default=str)


def _detail(old: Resource, definition: Json, properties: Json, name: str, blueprint: Blueprint) -> Json:
    is_dynamic = _is_dynamic(properties.get(name))
    always = "Conditionally" if is_dynamic else "Always"
    source, cause = _source(old, definition, name, blueprint)
    return {
        "Target": {
            "Attribute": "Properties",
            "Name": name,
            "RequiresRecreation": always if name in schemas.creation_only(old.resource_type) else "Never",
        },
        "Evaluation": "Dynamic" if is_dynamic else "Static",
        "ChangeSource": source,
        "CausingEntity": cause,
    }


def _plain_detail(attribute: str) -> Json:
    return {
        "Target": {"Attribute": attribute, "RequiresRecreation": "Never"},
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    }


def _source(old: Resource, definition: Json, name: str, blueprint: Blueprint) -> tuple[str, str | None]:
    before = (old.definition.get("Properties") or {}).get(name)
    after = (definition.get("Properties") or {}).get(name)
    if before != after:
        return "DirectModification", None
    causes = sorted(references(after))
    parameter = next((cause for cause in causes if cause in blueprint.parameters), None)
    return ("ParameterReference", parameter) if parameter else ("ResourceReference", next(iter(causes), None))


def _removal(resource: Resource) -> Json:
    is_kept = str(resource.definition.get("DeletionPolicy", "Delete")).startswith("Retain")
    return {
        "Action": "Remove",
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.resource_type,
        "PolicyAction": "Retain" if is_kept else "Delete",
        "Scope": [],
        "Details": [],
    }


def _check_types(stack: Stack, wanted: dict[str, Json]) -> None:
    retyped = [
        name
        for name, definition in wanted.items()
        if name in stack.resources and stack.resources[name].resource_type != definition["Type"]
    ]
    if retyped:
        raise invalid(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(retyped)}]"
        )
