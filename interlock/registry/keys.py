"""Where everything lies in a store. Whatever is read together lies in one partition."""

from datetime import datetime
from typing import Final

from interlock.models.deployment import Deployment
from interlock.models.notice import DeliveryState, OutboxRow
from interlock.registry.store import IndexEntry, Key
from interlock.registry.timestamps import sortable

ACTIVE: Final = "active"
"""The index of the deployments that are not final: its size is what runs, not what ever ran."""
OUTBOX: Final = "outbox"
"""The index of the rows that wait for delivery."""

EVENTS: Final = "EVENT#"
ROWS: Final = "OUTBOX#"
TICKETS: Final = "TICKET#"
HISTORY: Final = "HISTORY#"
RECORD: Final = "RECORD"
HOLD: Final = "HOLD"
AUDIT: Final = "AUDIT#"


def deployment_partition(correlation_id: str) -> str:
    return f"DEPLOYMENT#{correlation_id}"


def correlation_id_in(partition: str) -> str:
    return partition.removeprefix("DEPLOYMENT#")


def environment_partition(environment: str) -> str:
    return f"ENVIRONMENT#{environment}"


def record_key(correlation_id: str) -> Key:
    return Key(deployment_partition(correlation_id), RECORD)


def event_key(correlation_id: str, sequence: int) -> Key:
    return Key(deployment_partition(correlation_id), f"{EVENTS}{sequence:08d}")


def row_key(correlation_id: str, sequence: int) -> Key:
    """An announcement's rows lie there too, by an id of its own that is no deployment's."""
    return Key(deployment_partition(correlation_id), f"{ROWS}{sequence:08d}")


def thread_key(correlation_id: str) -> Key:
    return Key(deployment_partition(correlation_id), "THREAD")


def flow_run_key(flow_run_id: str) -> Key:
    return Key(f"FLOW_RUN#{flow_run_id}", "DEPLOYMENT")


def history_key(deployment: Deployment) -> Key:
    moment = sortable(deployment.started_at)
    return Key(environment_partition(deployment.environment), f"{HISTORY}{moment}#{deployment.correlation_id}")


def ticket_key(environment: str, correlation_id: str) -> Key:
    """One a deployment: whatever it does, it stands in the queue once."""
    return Key(environment_partition(environment), f"{TICKETS}{correlation_id}")


def hold_key(environment: str) -> Key:
    return Key(environment_partition(environment), HOLD)


def lock_key(environment: str) -> Key:
    return Key(environment_partition(environment), "LOCK")


def audit_key(environment: str, moment: datetime, name: str) -> Key:
    return Key(environment_partition(environment), f"{AUDIT}{_moment_and_id(moment, name)}")


def lease_key(name: str) -> Key:
    return Key(f"LEASE#{name}", "LEASE")


def active_entry(deployment: Deployment) -> IndexEntry | None:
    if deployment.status.is_final:
        return None
    return IndexEntry(ACTIVE, _moment_and_id(deployment.asked_at, deployment.correlation_id))


def outbox_entry(row: OutboxRow) -> IndexEntry | None:
    if row.state is not DeliveryState.WAITING:
        return None
    return IndexEntry(OUTBOX, _moment_and_id(row.written_at, f"{row.correlation_id}#{row.sequence:08d}"))


def _moment_and_id(moment: datetime, name: str) -> str:
    return f"{sortable(moment)}#{name}"
