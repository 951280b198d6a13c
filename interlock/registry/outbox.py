"""The outbox: rows written with the change that they tell, delivered later, in order per deployment."""

from datetime import timedelta

from interlock.clock import Clock
from interlock.errors import DeploymentNotFoundError
from interlock.models.notice import DeliveryState, Notice, OutboxRow, SlackThread
from interlock.registry.keys import (
    OUTBOX,
    ROWS,
    correlation_id_in,
    deployment_partition,
    outbox_entry,
    row_key,
    thread_key,
)
from interlock.registry.store import ABSENT, Put, Store, optimistically
from interlock.registry.values import attributes_of, value_of


def new_row(row: OutboxRow, retention: timedelta) -> Put:
    return Put(
        key=row_key(row.correlation_id, row.sequence),
        attributes=attributes_of(row),
        expect=ABSENT,
        index=outbox_entry(row),
        expires_at=row.written_at + retention,
    )


class Outbox:
    def __init__(self, store: Store, clock: Clock, retention: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention

    def announce(self, announcement_id: str, notice: Notice) -> None:
        """Tell of an environment what no other change of the registry tells; the id is to be a new one."""
        row = OutboxRow(correlation_id=announcement_id, sequence=1, notice=notice, written_at=self._clock())
        self._store.transact([new_row(row, self._retention)])

    def rows(self, correlation_id: str) -> list[OutboxRow]:
        """All rows of a deployment, delivered ones too, in the order of `sequence` (from 1, without gaps)."""
        items = self._store.query(deployment_partition(correlation_id), ROWS)
        return [value_of(OutboxRow, item.attributes) for item in items]

    def undelivered(self, *, limit: int = 100) -> list[str]:
        """The deployments with rows that wait, the one with the oldest row first.

        The index may lag behind (DynamoDB): read the rows before sending any.
        """
        keys = self._store.keys_in_index(OUTBOX)
        return list(dict.fromkeys(correlation_id_in(key.partition) for key in keys))[:limit]

    def update(self, row: OutboxRow) -> None:
        """Write the row's state. The last writer wins: deliver under a lease.

        A row that no longer waits never waits again: a deliverer whose lease ran out while Slack kept it waiting does
        not put back what another has sent meanwhile.

        Raises:
            DeploymentNotFoundError: there is no such row.
        """
        key = row_key(row.correlation_id, row.sequence)

        def attempt() -> None:
            item = self._store.get(key)
            if item is None:
                raise DeploymentNotFoundError(
                    f"The outbox has no message {row.sequence} of this deployment.", correlation_id=row.correlation_id
                )
            if row.state is DeliveryState.WAITING and item.index is None:
                return
            put = Put(
                key=key,
                attributes=attributes_of(row),
                expect=item.version,
                index=outbox_entry(row),
                expires_at=item.expires_at,
            )
            self._store.transact([put])

        optimistically(attempt)

    def thread(self, correlation_id: str) -> SlackThread | None:
        item = self._store.get(thread_key(correlation_id))
        return value_of(SlackThread, item.attributes) if item else None

    def save_thread(self, correlation_id: str, thread: SlackThread) -> None:
        expires_at = self._clock() + self._retention
        key = thread_key(correlation_id)
        self._store.transact([Put(key=key, attributes=attributes_of(thread), expect=None, expires_at=expires_at)])
