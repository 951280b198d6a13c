"""The locks: one an environment, put on and taken off by people, and the audit of whoever did what about them.

A lock ends by its `until`, whether that was given with it or is the moment at which it was taken off. Its item stays: the
number of the next one is greater, so that who is late takes off no lock but the one that he saw.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue

from interlock.clock import Clock
from interlock.errors import LockedBySomebodyElseError
from interlock.models.lock import Lock, LockEvent
from interlock.models.notice import Notice, NoticeKind, OutboxRow
from interlock.registry.keys import AUDIT, audit_key, environment_partition, lock_key
from interlock.registry.outbox import new_row
from interlock.registry.store import ABSENT, Check, Item, Put, Store, Write, optimistically, version_of
from interlock.registry.values import attributes_of, value_of


@dataclass(frozen=True, slots=True)
class StoredLock:
    """An environment's lock, on or past, as it is stored; `lock` is None if there never was one."""

    lock: Lock | None
    item: Item | None
    environment: str

    def on(self, now: datetime) -> Lock | None:
        return self.lock if self.lock and self.lock.is_on(now) else None

    @property
    def unchanged(self) -> Check:
        """Insists, up to the write, that nobody locked meanwhile."""
        return Check(key=lock_key(self.environment), expect=version_of(self.item))


def read_lock(store: Store, environment: str) -> StoredLock:
    item = store.get(lock_key(environment))
    return StoredLock(value_of(Lock, item.attributes) if item else None, item, environment)


def audit_write(environment: str, event: LockEvent, retention: timedelta) -> Write:
    key = audit_key(environment, event.timestamp, secrets.token_hex(4))
    return Put(key=key, attributes=attributes_of(event), expect=ABSENT, expires_at=event.timestamp + retention)


class Locks:
    def __init__(self, store: Store, clock: Clock, retention: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention

    def current(self, environment: str) -> Lock | None:
        """The lock on record that is on now."""
        now = self._clock()  # before reading: too early is the safe side of an expiry
        return read_lock(self._store, environment).on(now)

    def lock(self, environment: str, *, by: str, reason: str, until: datetime | None = None) -> Lock:
        """Put a lock on, or give one's own another reason or end. The same again changes nothing (promise 8).

        Written with its audit and, for the channel, its announcement in one transaction.

        Raises:
            LockedBySomebodyElseError: another person's is on; it stays as it is.
        """

        def attempt() -> Lock:
            now = self._clock()
            stored = read_lock(self._store, environment)
            on = stored.on(now)
            if on and on.by != by:
                raise _somebody_elses(on)
            if on and (on.reason, on.until) == (reason, until):
                return on
            number = on.number if on else (stored.lock.number if stored.lock else 0) + 1
            lock = Lock(
                environment=environment,
                by=by,
                reason=reason,
                since=on.since if on else now,
                until=until,
                number=number,
            )
            event = LockEvent(
                timestamp=now, event="LOCK_CHANGED" if on else "ENVIRONMENT_LOCKED", by=by, details=lock.in_words
            )
            self._write(stored, lock, event, Notice(kind=NoticeKind.LOCKED, facts=_facts(lock)))
            return lock

        return optimistically(attempt)

    def unlock(self, lock: Lock, *, by: str, reason: str | None = None) -> bool:
        """Take this very lock off. False, and nothing changed, if it is off already, or another one is on (promise 8)."""

        def attempt() -> bool:
            now = self._clock()
            stored = read_lock(self._store, lock.environment)
            on = stored.on(now)
            if on is None or on.number != lock.number:
                return False
            details = f"It was {on.in_words}.{f' Taken off: {reason}' if reason else ''}"
            event = LockEvent(timestamp=now, event="ENVIRONMENT_UNLOCKED", by=by, details=details)
            facts = {**_facts(on), "unlocked_by": by, "unlock_reason": reason}
            ended = on.model_copy(update={"until": now})
            self._write(stored, ended, event, Notice(kind=NoticeKind.UNLOCKED, facts=facts))
            return True

        return optimistically(attempt)

    def events(self, environment: str, *, limit: int = 50) -> Sequence[LockEvent]:
        """The environment's audit, the newest first."""
        items = self._store.query(environment_partition(environment), AUDIT, descending=True, limit=limit)
        return [value_of(LockEvent, item.attributes) for item in items]

    def audit(self, environment: str, event: LockEvent) -> None:
        """Add a line to the environment's audit."""
        self._store.transact([audit_write(environment, event, self._retention)])

    def _write(self, before: StoredLock, lock: Lock, event: LockEvent, notice: Notice) -> None:
        is_same = before.lock is not None and before.lock.number == lock.number
        told = before.item.attributes["told"] if is_same and before.item else 0
        row = OutboxRow(
            correlation_id=lock.announcement_id, sequence=told + 1, notice=notice, written_at=event.timestamp
        )
        put = Put(
            key=lock_key(lock.environment),
            attributes=attributes_of(lock) | {"told": row.sequence},
            expect=version_of(before.item),
        )
        self._store.transact(
            [put, new_row(row, self._retention), audit_write(lock.environment, event, self._retention)]
        )


def _facts(lock: Lock) -> dict[str, JsonValue]:
    return {"environment": lock.environment, **lock.facts}


def _somebody_elses(lock: Lock) -> LockedBySomebodyElseError:
    return LockedBySomebodyElseError(
        f"It is {lock.in_words}.",
        environment=lock.environment,
        next_step=f"It stays as it is. `interlock unlock {lock.environment} --reason ...` takes it off.",
    )
