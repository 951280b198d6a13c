"""Everything the simulated CloudFormation remembers, for all accounts and regions."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interlock.rehearsal.aws.cloudformation.lookups import LiveLookup, PlannedLookup
from interlock.rehearsal.aws.cloudformation.resolver import Resolver
from interlock.rehearsal.aws.cloudformation.state import Blueprint, ChangeSet, Json, Note, OperationRecord, Place, Stack
from interlock.rehearsal.aws.rules import Rules

if TYPE_CHECKING:
    from interlock.rehearsal.aws.cloudformation.drift import Detection


@dataclass(frozen=True)
class Pace:
    """How long things take, where no rule says otherwise."""

    seconds: float = 0.5
    """A resource that is created or updated."""
    rollback_seconds: float = 0.5
    """A resource that is deleted or sent back."""
    change_set_seconds: float = 0.0


class Cloud:
    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.rules = Rules()
        self.stacks: list[Stack] = []
        self.change_sets: list[ChangeSet] = []
        self.operations: list[OperationRecord] = []
        self.standins: list[dict[str, str]] = []
        self.detections: dict[str, Detection] = {}

    def new_stack(self, account: str, region: str, name: str) -> Stack:
        stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(Place(account, region, name, stack_id))
        self.stacks.append(stack)
        return stack

    def stacks_of(self, account: str, region: str) -> list[Stack]:
        return [stack for stack in self.stacks if (stack.place.account, stack.place.region) == (account, region)]

    def find(self, account: str, region: str, name_or_id: str) -> Stack | None:
        """By name only a stack that still exists; by id also one that was deleted."""
        ours = self.stacks_of(account, region)
        return next((stack for stack in ours if _is_called(stack, name_or_id)), None)

    def exports(self, account: str, region: str) -> dict[str, tuple[str, str]]:
        """Each export's value and the id of the stack it comes from."""
        return {
            output["ExportName"]: (output["OutputValue"], stack.stack_id)
            for stack in self.stacks_of(account, region)
            if not stack.is_gone
            for output in stack.outputs
            if output.get("ExportName")
        }

    def resolver(self, stack: Stack, blueprint: Blueprint, pending: set[str] | None = None) -> Resolver:
        """For the stack as it stands, or with `pending` resources that do not exist yet."""

        def exported() -> dict[str, str]:
            return {name: value for name, (value, _) in self.exports(stack.place.account, stack.place.region).items()}

        live = LiveLookup(stack, exported, self.noter(stack))
        return Resolver(blueprint, stack.place, live if pending is None else PlannedLookup(stack, exported, pending))

    def noter(self, stack: Stack) -> Note:
        def note(logical_id: str, resource_type: str, reason: str) -> None:
            entry = {"stack": stack.name, "logical_id": logical_id, "resource_type": resource_type, "reason": reason}
            if entry not in self.standins:
                self.standins.append(entry)

        return note

    async def reset(self) -> None:
        await asyncio.gather(*(stack.operation.stop() for stack in self.stacks if stack.operation))
        for things in (self.stacks, self.change_sets, self.operations, self.standins, self.rules.listed):
            things.clear()
        self.detections.clear()

    def operation_list(self) -> list[Json]:
        return [vars(record) for record in self.operations]


def _is_called(stack: Stack, name_or_id: str) -> bool:
    return stack.stack_id == name_or_id or (stack.name == name_or_id and not stack.is_gone)
