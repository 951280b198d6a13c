"""The deployments: registered once, carried on by records, finished once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from interlock.clock import Clock
from interlock.errors import AlreadyFinishedError, CorrelationIdTakenError
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.notice import Notice
from interlock.registry.keys import (
    ACTIVE,
    EVENTS,
    HISTORY,
    correlation_id_in,
    deployment_partition,
    environment_partition,
    flow_run_key,
    record_key,
    ticket_key,
)
from interlock.registry.record import Step, StoredRecord, first_writes, next_writes, read_record, record_of, redacted
from interlock.registry.store import ConflictError, Delete, Store, optimistically
from interlock.registry.values import value_of
from interlock.secret_values.redactor import Redactor

_MOST_EVENTS = 80  # in one transaction, so that record, pointers and notices fit beside them


class Deployments:
    def __init__(self, store: Store, clock: Clock, retention: timedelta, redactor: Redactor) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention
        self._redactor = redactor

    def register(self, deployment: Deployment, *, notices: Sequence[Notice] = ()) -> Deployment:
        """Write a new deployment with its events, and `notices` for the outbox, in one transaction.

        Raises:
            CorrelationIdTakenError: nothing was written; make another id.
        """

        def attempt() -> Deployment:
            writes = first_writes(deployment, self._step(deployment.events, notices))
            try:
                self._store.transact(writes)
            except ConflictError:
                if self._store.get(record_key(deployment.correlation_id)) is None:
                    raise
                raise _taken(deployment) from None
            return deployment

        return optimistically(attempt)

    def get(self, correlation_id: str, *, with_events: bool = True) -> Deployment:
        """Raises DeploymentNotFoundError."""
        deployment = read_record(self._store, correlation_id).deployment
        return deployment.model_copy(update={"events": self._events(correlation_id)}) if with_events else deployment

    def of_flow_run(self, flow_run_id: str) -> Deployment | None:
        """The latest deployment of a flow run, without events."""
        pointer = self._store.get(flow_run_key(flow_run_id))
        found = self._read([pointer.attributes["correlation_id"]]) if pointer else []
        return found[0] if found else None

    def record(
        self,
        correlation_id: str,
        *,
        events: Sequence[DeploymentEvent] = (),
        notices: Sequence[Notice] = (),
        changes: Mapping[str, Any] | None = None,
    ) -> Deployment:
        """Carry a deployment on; the answer is without events. A final one still takes events, notices and other facts.

        Raises:
            DeploymentNotFoundError: there is none.
            AlreadyFinishedError: `changes` touches the status of a final one.
            ValueError: `changes` has a final status (`finish` sets those) or a field that cannot change.
        """
        while len(events) > _MOST_EVENTS:
            self._carry_on(correlation_id, self._step(events[:_MOST_EVENTS]))
            events = events[_MOST_EVENTS:]
        return self._carry_on(correlation_id, self._step(events, notices, changes))

    def finish(
        self,
        correlation_id: str,
        status: DeploymentStatus,
        *,
        reason: str | None = None,
        events: Sequence[DeploymentEvent] = (),
        notices: Sequence[Notice] = (),
        changes: Mapping[str, Any] | None = None,
    ) -> bool:
        """Give a deployment its final status, and take it out of the queue. The hold is released separately.

        True if this call finished it. False if it was final already: then nothing at all is written, so hooks, flow and
        sweep may race (promise 8).

        Raises:
            DeploymentNotFoundError: there is none.
        """
        if not status.is_final:
            raise ValueError(f"{status} is not final.")

        def attempt() -> bool:
            record = read_record(self._store, correlation_id)
            if record.is_final:
                return False
            end = {"status": status, "finished_at": self._clock()} | ({"reason": reason} if reason else {})
            deployment, writes = next_writes(record, self._step(events, notices, {**(changes or {}), **end}))
            ticket = Delete(key=ticket_key(deployment.environment, correlation_id), expect=None)
            self._store.transact([*writes, ticket])
            return True

        return optimistically(attempt)

    def history(self, environment: str, *, limit: int = 20) -> list[Deployment]:
        """An environment's deployments, the newest first, without events."""
        pointers = self._store.query(environment_partition(environment), HISTORY, descending=True, limit=limit)
        return self._read(pointer.attributes["correlation_id"] for pointer in pointers)

    def active(self) -> list[Deployment]:
        """The deployments that are not final, of all environments, in the order they were asked for, without events.

        Costs what is active, not what is past. One registered just now may be missing: DynamoDB's index lags.
        """
        keys = self._store.keys_in_index(ACTIVE)
        return [one for one in self._read(correlation_id_in(key.partition) for key in keys) if not one.status.is_final]

    def _carry_on(self, correlation_id: str, step: Step) -> Deployment:
        def attempt() -> Deployment:
            record = read_record(self._store, correlation_id)
            _insist_on_status(record, step)
            deployment, writes = next_writes(record, step)
            self._store.transact(writes)
            return deployment

        return optimistically(attempt)

    def _step(
        self,
        events: Sequence[DeploymentEvent] = (),
        notices: Sequence[Notice] = (),
        changes: Mapping[str, Any] | None = None,
    ) -> Step:
        step = Step(now=self._clock(), retention=self._retention, events=events, notices=notices, changes=changes)
        return redacted(step, self._redactor)

    def _read(self, correlation_ids: Iterable[str]) -> list[Deployment]:
        return [
            record_of(item).deployment for item in self._store.get_many([record_key(one) for one in correlation_ids])
        ]

    def _events(self, correlation_id: str) -> tuple[DeploymentEvent, ...]:
        items = self._store.query(deployment_partition(correlation_id), EVENTS)
        return tuple(value_of(DeploymentEvent, item.attributes) for item in items)


def _insist_on_status(record: StoredRecord, step: Step) -> None:
    if "status" not in (step.changes or {}):
        return
    if record.is_final:
        raise AlreadyFinishedError(
            f"The deployment is {record.deployment.status}, and that is final.",
            environment=record.deployment.environment,
            correlation_id=record.deployment.correlation_id,
        )
    if DeploymentStatus((step.changes or {})["status"]).is_final:
        raise ValueError("A final status is set by finish(), which also leaves the queue.")


def _taken(deployment: Deployment) -> CorrelationIdTakenError:
    return CorrelationIdTakenError(
        "Another deployment has this correlation id.",
        environment=deployment.environment,
        correlation_id=deployment.correlation_id,
        next_step="Make another one.",
    )
