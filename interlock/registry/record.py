"""A deployment's record as it is stored, and the writes that carry it on: what `deployments` and `holds` share.

Events and outbox rows are items of their own (an item has a size limit). They are numbered by counters kept beside the
record, whose version every write insists on: numbers are never given twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from interlock.errors import DeploymentNotFoundError
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.notice import Notice, OutboxRow
from interlock.registry.keys import (
    active_entry,
    event_key,
    flow_run_key,
    history_key,
    outbox_entry,
    record_key,
    row_key,
)
from interlock.registry.store import ABSENT, Item, Key, Put, Store, Write
from interlock.registry.values import attributes_of, value_of
from interlock.secret_values.redactor import Redactor

DEFAULT_RETENTION: Final = timedelta(days=400)

_FIXED = frozenset({"correlation_id", "environment", "started_at", "updated_at", "asked_at", "events"})
"""They are part of keys, or have their own way in."""

_FREE_TEXT = frozenset({"reason", "outputs", "application_url"})
"""All else are names and numbers that others compare: masking them would break what they are for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """`deployment` is without its events. `version` is ABSENT until it is written for the first time."""

    deployment: Deployment
    version: str = ABSENT
    event_count: int = 0
    notice_count: int = 0

    @property
    def is_final(self) -> bool:
        return self.deployment.status.is_final


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one transaction adds to a deployment."""

    now: datetime
    retention: timedelta
    events: Sequence[DeploymentEvent] = ()
    notices: Sequence[Notice] = ()
    changes: Mapping[str, Any] | None = None


def redacted(step: Step, redactor: Redactor) -> Step:
    """The step without secrets in its free text: here everything passes that is told of a deployment."""
    return replace(
        step,
        events=[each.model_copy(update={"details": redactor.redact(each.details)}) for each in step.events],
        notices=[each.model_copy(update={"facts": redactor.redact_json(each.facts)}) for each in step.notices],
        changes={
            name: redactor.redact_json(value) if name in _FREE_TEXT else value
            for name, value in (step.changes or {}).items()
        },
    )


def read_record(store: Store, correlation_id: str) -> StoredRecord:
    """Raises DeploymentNotFoundError."""
    item = store.get(record_key(correlation_id))
    if item is None:
        raise DeploymentNotFoundError(
            "The registry has no such deployment.",
            correlation_id=correlation_id,
            next_step="`interlock history ENV` lists those of an environment.",
        )
    return record_of(item)


def record_of(item: Item) -> StoredRecord:
    return StoredRecord(
        deployment=value_of(Deployment, item.attributes),
        version=item.version,
        event_count=item.attributes["event_count"],
        notice_count=item.attributes["notice_count"],
    )


def changed(deployment: Deployment, changes: Mapping[str, Any] | None, now: datetime) -> Deployment:
    """Raises ValueError (pydantic's included) for fields that do not exist, cannot change, or get a wrong value."""
    changes = changes or {}
    if fixed := _FIXED & changes.keys():
        raise ValueError(f"These fields of a deployment cannot be changed: {', '.join(sorted(fixed))}.")
    return Deployment.model_validate({**deployment.model_dump(), **changes, "updated_at": now})


def first_writes(deployment: Deployment, step: Step) -> list[Write]:
    """A new deployment with its pointers; insists that its correlation id is new."""
    new = StoredRecord(deployment=deployment)
    pointer = {"correlation_id": deployment.correlation_id}
    kept_until = step.now + step.retention
    return [
        *_writes(new, deployment, step),
        Put(key=history_key(deployment), attributes=pointer, expect=None, expires_at=kept_until),
        *_flow_run_pointer(deployment, step),
    ]


def next_writes(record: StoredRecord, step: Step) -> tuple[Deployment, list[Write]]:
    """The deployment after the step, and the writes that make it so; insists that nobody wrote the record since."""
    deployment = changed(record.deployment, step.changes, step.now)
    pointer = _flow_run_pointer(deployment, step) if deployment.flow_run_id != record.deployment.flow_run_id else []
    return deployment, [*_writes(record, deployment, step), *pointer]


def _writes(record: StoredRecord, deployment: Deployment, step: Step) -> list[Write]:
    events = list(_event_writes(record, step))
    rows = list(_row_writes(record, step))
    counts = {"event_count": record.event_count + len(events), "notice_count": record.notice_count + len(rows)}
    put = Put(
        key=record_key(deployment.correlation_id),
        attributes=attributes_of(deployment, without={"events"}) | counts,
        expect=record.version,
        index=active_entry(deployment),
        # What is not finished never expires; its satellites may, as no deployment takes that long.
        expires_at=(deployment.finished_at or step.now) + step.retention if deployment.status.is_final else None,
    )
    return [put, *events, *rows]


def _event_writes(record: StoredRecord, step: Step) -> Iterator[Write]:
    for number, event in enumerate(step.events, record.event_count + 1):
        yield _addition(event_key(record.deployment.correlation_id, number), attributes_of(event), step)


def _row_writes(record: StoredRecord, step: Step) -> Iterator[Write]:
    correlation_id = record.deployment.correlation_id
    for number, notice in enumerate(step.notices, record.notice_count + 1):
        row = OutboxRow(correlation_id=correlation_id, sequence=number, notice=notice, written_at=step.now)
        put = _addition(row_key(correlation_id, number), attributes_of(row), step)
        yield replace(put, index=outbox_entry(row))


def _addition(key: Key, attributes: dict[str, Any], step: Step) -> Put:
    return Put(key=key, attributes=attributes, expect=ABSENT, expires_at=step.now + step.retention)


def _flow_run_pointer(deployment: Deployment, step: Step) -> list[Write]:
    if deployment.flow_run_id is None:
        return []
    pointer = {"correlation_id": deployment.correlation_id}
    key = flow_run_key(deployment.flow_run_id)
    return [Put(key=key, attributes=pointer, expect=None, expires_at=step.now + step.retention)]
