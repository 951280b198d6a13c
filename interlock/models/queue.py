"""The queue's two things with two names: a ticket waits, a hold runs."""

from pydantic import Field

from interlock.models.base import Instant, Value


class Ticket(Value):
    """A deployment's place in its environment's queue. Dead from `expires_at` on, unless its heartbeat moves it."""

    environment: str
    correlation_id: str
    asked_at: Instant
    expires_at: Instant

    def is_alive(self, now: Instant) -> bool:
        return now < self.expires_at


class Hold(Value):
    """The exclusive right to an environment's stack. Live until `expires_at`, not at it.

    `fence` grows by one with each grant and never shrinks; `owner` is None once released, the fence stays.
    """

    environment: str
    owner: str | None
    fence: int = Field(ge=0)
    granted_at: Instant
    expires_at: Instant

    def is_live(self, now: Instant) -> bool:
        return self.owner is not None and now < self.expires_at
