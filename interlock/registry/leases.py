"""Leases: one at a time, for work that may be done twice but should not be. For more than that there are holds."""

from datetime import datetime, timedelta

from interlock.clock import Clock
from interlock.models.base import Instant, Value
from interlock.registry.keys import lease_key
from interlock.registry.store import Delete, Item, Put, Store, optimistically, version_of
from interlock.registry.values import attributes_of, value_of


class _Lease(Value):
    owner: str
    expires_at: Instant

    def is_somebody_elses(self, owner: str, now: datetime) -> bool:
        return self.owner != owner and now < self.expires_at


class Leases:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def acquire(self, name: str, owner: str, *, lifetime_seconds: float) -> bool:
        """Whether `owner` has the lease from now. Its own one is prolonged; another's is free from its expiry on."""

        def attempt() -> bool:
            now = self._clock()
            lease, item = self._read(name)
            if lease and lease.is_somebody_elses(owner, now):
                return False
            new = _Lease(owner=owner, expires_at=now + timedelta(seconds=lifetime_seconds))
            put = Put(
                key=lease_key(name), attributes=attributes_of(new), expect=version_of(item), expires_at=new.expires_at
            )
            self._store.transact([put])
            return True

        return optimistically(attempt)

    def release(self, name: str, owner: str) -> bool:
        """Give the lease back. False, and nothing changed, if it is not the owner's (promise 8)."""

        def attempt() -> bool:
            lease, item = self._read(name)
            if lease is None or lease.owner != owner:
                return False
            self._store.transact([Delete(key=lease_key(name), expect=version_of(item))])
            return True

        return optimistically(attempt)

    def remaining_seconds(self, name: str) -> float:
        """How long the lease still runs, whoever has it; 0 if it is free."""
        lease, _ = self._read(name)
        return max(0.0, (lease.expires_at - self._clock()).total_seconds()) if lease else 0.0

    def _read(self, name: str) -> tuple[_Lease | None, Item | None]:
        item = self._store.get(lease_key(name))
        return (value_of(_Lease, item.attributes), item) if item else (None, None)
