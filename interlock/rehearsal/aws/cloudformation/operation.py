"""What all stack operations share: they dwell, run independent resources in parallel, and can be stopped."""

import asyncio
import contextlib
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from interlock.rehearsal.aws.cloudformation import backend
from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.dependencies import Graph, graph_of, reversed_graph
from interlock.rehearsal.aws.cloudformation.errors import ResourceFailedError
from interlock.rehearsal.aws.cloudformation.state import OperationRecord, Resource, Stack
from interlock.rehearsal.aws.rules import Behaviour

_log = logging.getLogger(__name__)
_TICK_SECONDS = 0.05


async def walk(graph: Graph, work: Callable[[str], Awaitable[None]]) -> None:
    """Do the work of every node, each once those it needs are done, independent ones at the same time.

    The first failure cancels the rest and is raised in an exception group.
    """
    finished = {name: asyncio.Event() for name in graph}

    async def visit(name: str) -> None:
        for needed in graph[name]:
            await finished[needed].wait()
        await work(name)
        finished[name].set()

    async with asyncio.TaskGroup() as group:
        for name in graph:
            group.create_task(visit(name))


class Operation(ABC):
    """One operation on one stack, recognised by its ClientRequestToken."""

    kind: str
    first_status: str
    failed_status: str

    def __init__(self, stack: Stack, cloud: Cloud, token: str | None) -> None:
        self.stack = stack
        self.cloud = cloud
        self._token = token
        self._task: asyncio.Task[None] | None = None
        self._forward: asyncio.Future[None] | None = None
        self._is_cancelled = False
        self._record = OperationRecord(stack.name, token, self.kind, time.time())

    def start(self) -> None:
        self.stack.operation = self
        self.cloud.operations.append(self._record)
        self.enter(self.first_status, "User Initiated")
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End it where it is (the stack is deleted under it, or the server goes away)."""
        if self._task and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    def cancel(self) -> None:
        """CancelUpdateStack: what runs is cancelled, and the stack rolls back."""
        self._is_cancelled = True
        if self._forward:
            self._forward.cancel()

    @abstractmethod
    async def run(self) -> None: ...

    async def _run(self) -> None:
        try:
            await asyncio.to_thread(backend.warm_up)
            await self.run()
        except Exception:  # noqa: BLE001 - a stack must not stay IN_PROGRESS for ever; the log has the traceback
            _log.exception("The simulator itself failed on stack %s", self.stack.name)
            self.enter(self.failed_status, "Internal failure of the simulated AWS; its log says more.")
        finally:
            self._record.ended, self._record.outcome = time.time(), self.stack.status

    def enter(self, status: str, reason: str = "") -> None:
        self.stack.enter(status, reason, self._token)

    def event(self, resource: Resource, status: str, reason: str = "") -> None:
        self.stack.record_event(resource, status, reason, self._token)

    def behaviour(self, resource: Resource, phase: str) -> Behaviour:
        pace = self.cloud.pace
        default = pace.seconds if phase in ("CREATE", "UPDATE") else pace.rollback_seconds
        metadata = resource.definition.get("Metadata")
        return self.cloud.rules.behaviour(self.stack.name, resource.logical_id, phase, metadata, default)

    async def dwell(self, resource: Resource, phase: str) -> None:
        """Take the time the rules say, reading them again and again.

        Raises:
            ResourceFailedError: the rules make it fail.
        """
        started = time.monotonic()
        while True:
            told = self.behaviour(resource, phase)
            left_seconds = math.inf if told.stall else started + told.seconds - time.monotonic()
            if left_seconds <= 0:
                break
            await asyncio.sleep(min(_TICK_SECONDS, left_seconds))
        if told.fail:
            raise ResourceFailedError(told.fail)

    async def go_forward(self, graph: Graph, work: Callable[[str], Awaitable[None]]) -> bool:
        """Do the work; False when a resource failed or somebody cancelled."""
        if self._is_cancelled:
            return False
        self._forward = asyncio.ensure_future(walk(graph, work))
        try:
            await self._forward
        except ExceptionGroup as failures:
            if rest := failures.split(ResourceFailedError)[1]:
                raise rest from None
            return False
        except asyncio.CancelledError:
            if not self._is_cancelled:
                raise
            return False
        return True

    async def create(self, resource: Resource, phase: str = "CREATE", word: str = "creation") -> None:
        """Build a resource, with its events up to the end of its dwell."""
        try:
            if not self.behaviour(resource, phase).fail:
                self._build(resource)
                self.event(resource, f"{phase}_IN_PROGRESS", "Resource creation Initiated")
            await self.dwell(resource, phase)
        except (ResourceFailedError, asyncio.CancelledError) as error:
            self.event(resource, f"{phase}_FAILED", str(error) or f"Resource {word} cancelled")
            raise
        self.event(resource, f"{phase}_COMPLETE")

    def _build(self, resource: Resource) -> None:
        built = backend.build(self.stack.place, resource)
        resource.physical_id, resource.attributes = built.physical_id, built.attributes
        self.note_standin(resource, built)

    def note_standin(self, resource: Resource, built: backend.Built) -> None:
        if built.standin_reason:
            resource.is_standin = True
            self.cloud.noter(self.stack)(resource.logical_id, resource.resource_type, built.standin_reason)

    async def remove_all(self, resources: dict[str, Resource], keep: Callable[[Resource], bool]) -> list[str]:
        """Delete resources, dependents first, in parallel; gives the names of those that failed."""
        graph = graph_of({name: resource.definition for name, resource in resources.items()})
        backwards = reversed_graph(graph)
        left: set[str] = set()
        failed: list[str] = []

        async def remove(name: str) -> None:
            if backwards[name] & left:  # somebody still needs it
                left.add(name)
            elif not await self._remove(resources[name], is_kept=keep(resources[name])):
                left.add(name)
                failed.append(name)

        await walk(backwards, remove)
        return failed

    async def _remove(self, resource: Resource, *, is_kept: bool) -> bool:
        if is_kept:
            self.event(resource, "DELETE_SKIPPED")
            return True
        if resource.physical_id:
            self.event(resource, "DELETE_IN_PROGRESS")
            try:
                await self.dwell(resource, "DELETE")
            except ResourceFailedError as error:
                self.event(resource, "DELETE_FAILED", str(error))
                return False
            backend.remove(self.stack.place, resource)
        self.event(resource, "DELETE_COMPLETE")
        return True


def failures(resources: list[Resource]) -> str:
    """The reason of a rollback, as AWS words it."""
    sentences = []
    for phase, word in (("CREATE", "create"), ("UPDATE", "update"), ("DELETE", "delete")):
        names = [resource.logical_id for resource in resources if resource.status == f"{phase}_FAILED"]
        if names:
            sentences.append(f"The following resource(s) failed to {word}: [{', '.join(names)}]. ")
    return "".join(sentences)


def policy(resource: Resource, name: str) -> str:
    value = resource.definition.get(name)
    return value if isinstance(value, str) else "Delete"


async def stop_quietly(operation: Operation | None) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        if operation:
            await operation.stop()
