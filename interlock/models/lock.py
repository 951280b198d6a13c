"""A lock: nobody new may deploy to an environment while it is on. Who deploys already goes on."""

from datetime import datetime
from typing import Annotated

from pydantic import JsonValue, StringConstraints

from interlock.models.base import Instant, Value

LONGEST_REASON = 500
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_REASON)]
"""Why a person, or the environments file, does what others will ask about. Never empty; short enough for a message."""


class Lock(Value):
    """On from `since` to `until`, not at it; without `until`, until it is taken off."""

    environment: str
    by: str
    """A person (`ada@laptop`), or a freeze window of the environments file."""
    reason: Reason
    since: Instant
    until: Instant | None = None
    number: int = 0
    """Grows by one with each lock of the environment that a person puts on; a freeze window has none."""

    def is_on(self, now: datetime) -> bool:
        return self.until is None or now < self.until

    @property
    def announcement_id(self) -> str:
        """What its messages are filed under in the outbox."""
        return f"{self.environment}-lock-{self.number}"

    @property
    def in_words(self) -> str:
        until = f"until {_minute(self.until)}" if self.until else "until it is unlocked"
        return f"locked by {self.by} since {_minute(self.since)}, {until}: {self.reason}"

    @property
    def facts(self) -> dict[str, JsonValue]:
        """For a notice."""
        return {
            "locked_by": self.by,
            "lock_reason": self.reason,
            "locked_since": self.since.isoformat(),
            "locked_until": self.until.isoformat() if self.until else None,
        }


class LockEvent(Value):
    """One line of an environment's audit: who locked, unlocked, overrode or forced, when and why."""

    timestamp: Instant
    event: str
    """`ENVIRONMENT_LOCKED`, `LOCK_CHANGED`, `ENVIRONMENT_UNLOCKED`, `LOCK_OVERRIDDEN`, `HOLD_RELEASED_BY_FORCE`,
    `RECOVERY_STARTED`, `RECOVERY_ENDED`."""
    by: str
    details: str = ""
    correlation_id: str | None = None


def last_to_end(*locks: Lock | None) -> Lock | None:
    """Of several locks that are on, the one that counts: it is the last to end."""
    on = [lock for lock in locks if lock is not None]
    endless = next((lock for lock in on if lock.until is None), None)
    return endless or max(on, key=lambda lock: lock.until or lock.since, default=None)


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
