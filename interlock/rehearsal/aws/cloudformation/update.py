"""A stack changes, or rolls back to what it was."""

import asyncio
import copy
from dataclasses import dataclass, field

from interlock.rehearsal.aws.cloudformation import backend
from interlock.rehearsal.aws.cloudformation.changes import changed_properties, is_changed, is_replaced
from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.dependencies import graph_of
from interlock.rehearsal.aws.cloudformation.errors import ResourceFailedError
from interlock.rehearsal.aws.cloudformation.operation import Operation, failures, policy
from interlock.rehearsal.aws.cloudformation.resolver import Resolver
from interlock.rehearsal.aws.cloudformation.state import Blueprint, Json, Resource, Stack

_REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


@dataclass
class Before:
    """What an update can go back to."""

    blueprint: Blueprint
    resources: dict[str, Resource]
    outputs: list[Json]
    touched: dict[str, Resource] = field(default_factory=dict)
    """Updated, replaced, or failed to be: as the update left them."""
    created: dict[str, Resource] = field(default_factory=dict)
    replaced: dict[str, Resource] = field(default_factory=dict)
    """The old ones, still there until the cleanup."""

    @classmethod
    def of(cls, stack: Stack) -> "Before":
        return cls(stack.blueprint, dict(stack.resources), stack.outputs)


class _Reversible(Operation):
    """An operation that may end in a rollback to `before`."""

    failed_status = "UPDATE_ROLLBACK_FAILED"

    async def roll_back(self, before: Before, skipped: frozenset[str] = frozenset()) -> None:
        pending = {name: before.resources[name] for name in before.touched}
        await asyncio.gather(*(self._send_back(before, name, name in skipped) for name in pending))
        if before.touched:
            self.enter("UPDATE_ROLLBACK_FAILED", failures(list(before.touched.values())))
            return
        self.enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self.stack.blueprint, self.stack.resources, self.stack.outputs = (
            before.blueprint,
            before.resources,
            before.outputs,
        )
        await self.remove_all(before.created, lambda resource: policy(resource, "DeletionPolicy") == "Retain")
        self.enter("UPDATE_ROLLBACK_COMPLETE")

    async def _send_back(self, before: Before, name: str, is_skipped: bool) -> None:
        new, old = before.touched[name], before.resources[name]
        self.event(new, "UPDATE_IN_PROGRESS")
        try:
            if not is_skipped:
                await self.dwell(new, "ROLLBACK")
        except ResourceFailedError as error:
            self.event(new, "UPDATE_FAILED", str(error))
            return
        if new.physical_id == old.physical_id and not is_skipped:
            backend.change(self.stack.place, new, old.properties)
        del before.touched[name]
        self.stack.resources[name] = old
        self.event(old, "UPDATE_COMPLETE")


class Update(_Reversible):
    kind = "UPDATE"
    first_status = "UPDATE_IN_PROGRESS"

    def __init__(self, stack: Stack, cloud: Cloud, token: str | None, blueprint: Blueprint) -> None:
        super().__init__(stack, cloud, token)
        self.before = Before.of(stack)
        stack.blueprint = blueprint

    async def run(self) -> None:
        resolver = self.cloud.resolver(self.stack, self.stack.blueprint)
        wanted = resolver.resources()

        async def work(name: str) -> None:
            await self._bring_about(name, wanted[name], resolver)

        if await self.go_forward(graph_of(wanted), work):
            await self._clean_up(wanted, resolver)
        else:
            current = [*self.before.touched.values(), *self.before.created.values()]
            reason = "User Initiated" if self._is_cancelled else failures(current)
            self.enter("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            await self.roll_back(self.before)

    async def _bring_about(self, name: str, definition: Json, resolver: Resolver) -> None:
        properties = resolver.properties(definition)
        tags = self.stack.blueprint.tags
        old = self.before.resources.get(name)
        if old is None:
            new = Resource(name, definition["Type"], definition, properties, tags)
            self.before.created[name] = self.stack.resources[name] = new
            self.event(new, "CREATE_IN_PROGRESS")
            await self.create(new)
            return
        new = copy.copy(old)
        new.definition, new.tags = definition, tags
        if is_changed(old, definition, properties, tags):
            self.before.touched[name] = new
            await self._change(old, new, properties)
        self.stack.resources[name] = new

    async def _change(self, old: Resource, new: Resource, properties: Json) -> None:
        self.event(new, "UPDATE_IN_PROGRESS")
        if is_replaced(old.resource_type, changed_properties(old.properties, properties)):
            await self._replace(old, new, properties)
            return
        try:
            await self.dwell(new, "UPDATE")
        except (ResourceFailedError, asyncio.CancelledError) as error:
            self.event(new, "UPDATE_FAILED", str(error) or "Resource update cancelled")
            raise
        built = backend.change(self.stack.place, new, properties)
        new.properties, new.physical_id, new.attributes = properties, built.physical_id, built.attributes
        self.note_standin(new, built)
        self.event(new, "UPDATE_COMPLETE")

    async def _replace(self, old: Resource, new: Resource, properties: Json) -> None:
        self.event(new, "UPDATE_IN_PROGRESS", _REPLACING)
        new.properties, new.is_standin = properties, False
        try:
            await self.create(new, "UPDATE", "update")
        finally:
            if new.physical_id != old.physical_id:  # the same where a stand-in took the name over: nothing to clean up
                self.before.replaced[new.logical_id] = old
                self.before.created[new.logical_id] = new

    async def _clean_up(self, wanted: dict[str, Json], resolver: Resolver) -> None:
        self.stack.outputs = resolver.outputs()
        self.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        removed = {name: resource for name, resource in self.before.resources.items() if name not in wanted}
        await self.remove_all({**removed, **self.before.replaced}, self._is_kept)
        self.stack.resources = {name: self.stack.resources[name] for name in wanted}
        self.enter("UPDATE_COMPLETE")

    def _is_kept(self, resource: Resource) -> bool:
        attribute = "UpdateReplacePolicy" if resource.logical_id in self.before.replaced else "DeletionPolicy"
        return policy(resource, attribute).startswith("Retain")


class RollbackContinuation(_Reversible):
    """ContinueUpdateRollback: try again what could not be sent back, or skip it."""

    kind = "CONTINUE_UPDATE_ROLLBACK"
    first_status = "UPDATE_ROLLBACK_IN_PROGRESS"

    def __init__(self, stack: Stack, cloud: Cloud, token: str | None, before: Before, skipped: list[str]) -> None:
        super().__init__(stack, cloud, token)
        self.before = before
        self._skipped = frozenset(skipped)

    async def run(self) -> None:
        await self.roll_back(self.before, self._skipped)
