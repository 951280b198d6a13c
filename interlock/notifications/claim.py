"""The right to send for one deployment: two deliverers, threads or machines, never both send."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from interlock.clock import Clock
from interlock.notifications.ports import Leases

_LIFETIME = timedelta(seconds=30)
"""A dead deliverer's claim runs out after this; longer than any one call to Slack and the wait for its turn."""
_RENEWAL = timedelta(seconds=10)


class Claim:
    """A lease that is looked at before every call. Its owner is made unique: two threads of one run are two deliverers."""

    def __init__(self, leases: Leases, clock: Clock, *, correlation_id: str, owner: str) -> None:
        self._leases = leases
        self._clock = clock
        self._name = f"notify:{correlation_id}"
        self._owner = f"{owner}/{secrets.token_hex(4)}"
        self._renewed_at: datetime | None = None

    @contextmanager
    def held(self) -> Iterator[bool]:
        """Whether it was granted; given back at the end."""
        self._renewed_at = None
        granted = self._renew()
        try:
            yield granted
        finally:
            if granted:
                self._leases.release(self._name, self._owner)

    def is_ours(self) -> bool:
        """Whether it still is; renewed when it is due.

        One that had the time to run out is lost even if it is free again: somebody may have had it meanwhile, and have
        sent what we believe is waiting.
        """
        age = self._clock() - (self._renewed_at or self._clock())
        if age < _RENEWAL:
            return True
        return age < _LIFETIME and self._renew()

    def _renew(self) -> bool:
        now = self._clock()
        granted = self._leases.acquire(self._name, self._owner, lifetime_seconds=_LIFETIME.total_seconds())
        self._renewed_at = now if granted else self._renewed_at
        return granted
