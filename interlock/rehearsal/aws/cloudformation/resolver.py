"""Working out a template's values: intrinsic functions, conditions, dynamic references.

Nothing here fails. A rehearsal is about the deployment, not about the template's arithmetic: what cannot be worked out
becomes a made-up value, and is noted as a stand-in.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any, Protocol

from interlock.rehearsal.aws.cloudformation import standins
from interlock.rehearsal.aws.cloudformation.parameters import as_text, is_list
from interlock.rehearsal.aws.cloudformation.state import Blueprint, Place

Json = dict[str, Any]
_NOTHING = object()
_SUB = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}")


class Lookup(Protocol):
    """Where values come from that the template does not hold."""

    def reference(self, logical_id: str) -> Any: ...
    def attribute(self, logical_id: str, name: str) -> Any: ...
    def imported(self, export: str) -> Any: ...
    def stored(self, name: str) -> str: ...
    def unresolvable(self, node: Json, error: Exception) -> Any: ...


class Resolver:
    """The values of one blueprint in one place."""

    def __init__(self, blueprint: Blueprint, place: Place, lookup: Lookup) -> None:
        self._blueprint = blueprint
        self._place = place
        self._lookup = lookup
        self._verdicts: dict[str, bool] = {}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::And": lambda items: all(self.is_true(item) for item in items),
            "Fn::Base64": lambda value: base64.b64encode(as_text(self.resolve(value)).encode()).decode(),
            "Fn::Cidr": self._cidr,
            "Fn::Contains": lambda value: self.resolve(value[1]) in self.resolve(value[0]),
            "Fn::Equals": lambda pair: as_text(self.resolve(pair[0])) == as_text(self.resolve(pair[1])),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": self._zones,
            "Fn::GetAtt": self._get_att,
            "Fn::If": lambda value: self._value(value[1] if self.condition(value[0]) else value[2]),
            "Fn::ImportValue": lambda name: self._lookup.imported(as_text(self.resolve(name))),
            "Fn::Join": lambda value: as_text(self.resolve(value[0])).join(
                as_text(item) for item in self._listed(value[1])
            ),
            "Fn::Length": lambda value: len(self._listed(value)),
            "Fn::Not": lambda value: not self.is_true(value[0]),
            "Fn::Or": lambda items: any(self.is_true(item) for item in items),
            "Fn::Select": lambda value: self._listed(value[1])[int(as_text(self.resolve(value[0])))],
            "Fn::Split": lambda value: as_text(self.resolve(value[1])).split(as_text(self.resolve(value[0]))),
            "Fn::Sub": self._sub,
            "Fn::ToJsonString": lambda value: json.dumps(self.resolve(value)),
        }

    def resolve(self, node: Any) -> Any:
        """The value of any part of the template; `AWS::NoValue` leaves a hole nobody sees."""
        value = self._value(node)
        return "" if value is _NOTHING else value

    def properties(self, definition: Json) -> Json:
        resolved = self.resolve(definition.get("Properties") or {})
        return resolved if isinstance(resolved, dict) else {}

    def resources(self) -> dict[str, Json]:
        """The resources whose condition holds."""
        return {
            name: definition for name, definition in self._blueprint.resources.items() if self._is_wanted(definition)
        }

    def outputs(self) -> list[Json]:
        wanted = {
            name: spec
            for name, spec in (self._blueprint.template.get("Outputs") or {}).items()
            if self._is_wanted(spec)
        }
        return [
            {
                "OutputKey": name,
                "OutputValue": as_text(self.resolve(spec.get("Value", ""))),
                "Description": spec.get("Description"),
                "ExportName": as_text(self.resolve(spec["Export"].get("Name", ""))) if spec.get("Export") else None,
            }
            for name, spec in wanted.items()
        ]

    def condition(self, name: str) -> bool:
        if name not in self._verdicts:
            self._verdicts[name] = False  # a condition that needs itself is false
            self._verdicts[name] = self.is_true((self._blueprint.template.get("Conditions") or {})[name])
        return self._verdicts[name]

    def is_true(self, node: Any) -> bool:
        return as_text(self.resolve(node)).lower() == "true"

    def _is_wanted(self, definition: Json) -> bool:
        name = definition.get("Condition")
        return (
            not isinstance(name, str)
            or name not in (self._blueprint.template.get("Conditions") or {})
            or self.condition(name)
        )

    def _value(self, node: Any) -> Any:
        if isinstance(node, str):
            return _DYNAMIC.sub(self._dynamic, node)
        if isinstance(node, list):
            return [value for value in map(self._value, node) if value is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (function := self._functions.get(next(iter(node)))):
            return self._call(function, node)
        return {key: value for key, below in node.items() if (value := self._value(below)) is not _NOTHING}

    def _call(self, function: Callable[[Any], Any], node: Json) -> Any:
        try:
            return function(next(iter(node.values())))
        except Exception as error:  # noqa: BLE001 - see the head of this file: nothing here fails
            return self._lookup.unresolvable(node, error)

    def _listed(self, node: Any) -> list[Any]:
        value = self.resolve(node)
        return value if isinstance(value, list) else as_text(value).split(",")

    def _ref(self, name: str) -> Any:
        pseudo = self._pseudo_parameters()
        if name in pseudo:
            return pseudo[name]
        if name not in self._blueprint.parameters:
            return self._lookup.reference(name)
        value = self._blueprint.value_of(name)
        if not is_list(self._blueprint.template.get("Parameters", {}).get(name, {})):
            return value
        return [item.strip() for item in value.split(",")] if value else []

    def _pseudo_parameters(self) -> Json:
        place = self._place
        return {
            "AWS::AccountId": place.account,
            "AWS::NoValue": _NOTHING,
            "AWS::NotificationARNs": list(self._blueprint.notification_arns),
            "AWS::Partition": "aws",
            "AWS::Region": place.region,
            "AWS::StackId": place.stack_id,
            "AWS::StackName": place.stack_name,
            "AWS::URLSuffix": "amazonaws.com",
        }

    def _get_att(self, value: Any) -> Any:
        logical_id, name = value if isinstance(value, list) else str(value).split(".", 1)
        return self._lookup.attribute(str(logical_id), as_text(self.resolve(name)))

    def _sub(self, value: Any) -> str:
        text, given = (value[0], value[1] if len(value) > 1 else {}) if isinstance(value, list) else (value, {})
        own = self.resolve(given)

        def replace(match: re.Match[str]) -> str:
            name = match[2].strip()
            if match[1]:
                return f"${{{match[2]}}}"
            if name in own:
                return as_text(own[name])
            return as_text(self.resolve({"Fn::GetAtt": name} if "." in name else {"Ref": name}))

        return _SUB.sub(replace, _DYNAMIC.sub(self._dynamic, text))

    def _find_in_map(self, value: list[Any]) -> Any:
        table, first, second, *rest = value
        keys = [as_text(self.resolve(key)) for key in (table, first, second)]
        found: Any = self._blueprint.template.get("Mappings") or {}
        for key in keys:
            if key not in found and rest:
                return self.resolve(rest[0]["DefaultValue"])
            found = {str(name): below for name, below in found.items()}[key]
        return self.resolve(found)

    def _zones(self, region: Any) -> list[str]:
        name = as_text(self.resolve(region)) or self._place.region
        return [f"{name}{letter}" for letter in "abcdef"]

    def _cidr(self, value: list[Any]) -> list[str]:
        block, count, *bits = [as_text(self.resolve(item)) for item in value]
        network = ipaddress.ip_network(block, strict=False)
        prefix = network.max_prefixlen - int(bits[0] if bits else 8)
        return [str(subnet) for subnet, _ in zip(network.subnets(new_prefix=prefix), range(int(count)), strict=False)]

    def _dynamic(self, match: re.Match[str]) -> str:
        name = match[2]
        if match[1] == "ssm":
            return self._lookup.stored(name.split(":")[0])
        return standins.digest(self._place.stack_name, name)[:24]
