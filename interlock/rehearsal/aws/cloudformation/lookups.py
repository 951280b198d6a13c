"""Where the resolver finds what the template refers to: in the stack as it stands, or as it will stand."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

from interlock.cloudformation.dependencies import references
from interlock.rehearsal.aws.cloudformation import standins
from interlock.rehearsal.aws.cloudformation.backend import stored_parameter
from interlock.rehearsal.aws.cloudformation.state import Json, Note, Resource, Stack

AFTER_DEPLOYMENT = "{{changeSet:KNOWN_AFTER_APPLY}}"


class LiveLookup:
    """The stack as it stands."""

    def __init__(self, stack: Stack, exports: Callable[[], dict[str, str]], note: Note) -> None:
        self._stack = stack
        self._exports = exports
        self._note = note

    def reference(self, logical_id: str) -> Any:
        return self._stack.resources[logical_id].physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        return attribute_of(self._stack, self._stack.resources[logical_id], name)

    def imported(self, export: str) -> str:
        known = self._exports()
        return known[export] if export in known else standins.made_up(self._stack.place, export)

    def stored(self, name: str) -> str:
        return stored_parameter(self._stack.place, name)

    def unresolvable(self, node: Json, error: Exception) -> Any:
        function, argument = next(iter(node.items()))
        text = json.dumps(argument, default=str, sort_keys=True)
        self._note("", function, f"{text[:200]} could not be worked out ({type(error).__name__})")
        is_path = isinstance(argument, list) and all(isinstance(part, str) for part in argument)
        return standins.made_up(self._stack.place, ".".join(argument) if is_path else text.strip('"'))


class PlannedLookup(LiveLookup):
    """The stack as it will stand: what does not exist yet, or will be replaced, is known after deployment only."""

    def __init__(self, stack: Stack, exports: Callable[[], dict[str, str]], pending: set[str]) -> None:
        super().__init__(stack, exports, lambda *_: None)  # a stand-in is one when it is deployed, not before
        self._pending = pending

    def reference(self, logical_id: str) -> Any:
        return AFTER_DEPLOYMENT if logical_id in self._pending else super().reference(logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        return AFTER_DEPLOYMENT if logical_id in self._pending else super().attribute(logical_id, name)

    def unresolvable(self, node: Json, error: Exception) -> Any:
        return AFTER_DEPLOYMENT if references(node) & self._pending else super().unresolvable(node, error)


def attribute_of(stack: Stack, resource: Resource, name: str) -> Any:
    """An attribute as provisioned, or the property of that name, or else a made-up one."""
    for source in (resource.attributes, resource.properties):
        with contextlib.suppress(KeyError, TypeError):
            return _within(source, name)
    return standins.attribute(stack.place, resource, name)


def _within(source: Any, name: str) -> Any:
    if name in source:
        return source[name]
    for part in name.split("."):
        source = source[part]
    return source
