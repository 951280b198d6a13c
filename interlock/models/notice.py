"""A notice: what a deployment has to tell. Written in the transaction of the change that it tells, delivered later."""

from enum import StrEnum

from pydantic import Field, JsonValue

from interlock.models.base import Instant, Value


class NoticeKind(StrEnum):
    """The lifecycle steps that people are told of."""

    STARTED = "started"
    QUEUED = "queued"
    WAITING = "waiting"
    DEPLOYING = "deploying"
    CHANGES = "changes"
    PROGRESS = "progress"
    STALLED = "stalled"
    MOVING_AGAIN = "moving_again"
    MONITOR_GAP = "monitor_gap"
    DEGRADED = "degraded"
    ADOPTED = "adopted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    LOCK_OVERRIDDEN = "lock_overridden"
    RELEASED_BY_FORCE = "released_by_force"
    RECOVERY_STARTED = "recovery_started"
    RECOVERY_ENDED = "recovery_ended"
    APPROVAL_REQUESTED = "approval_requested"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    SUMMARY = "summary"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    SWEPT = "swept"

    @property
    def is_ephemeral(self) -> bool:
        """Worth telling only while it is fresh: a later notice of the same deployment makes it moot."""
        return self in (NoticeKind.WAITING, NoticeKind.PROGRESS)

    @property
    def is_announcement(self) -> bool:
        """Of an environment, not of a deployment: its facts are all there is, and name the `environment`."""
        return self in (NoticeKind.LOCKED, NoticeKind.UNLOCKED, NoticeKind.SWEPT)


class Notice(Value):
    """One step to announce, with the facts as they were then. Rendering is elsewhere, and pure."""

    kind: NoticeKind
    facts: dict[str, JsonValue] = Field(default_factory=dict)


class DeliveryState(StrEnum):
    """Where an outbox row stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    PARKED = "parked"
    """Slack will never take it (unknown channel, invalid token): kept for `interlock show`, not tried again."""
    KEPT = "kept"
    """No Slack is configured: kept for `interlock show`."""


class OutboxRow(Value):
    """A notice on its way. Rows of one deployment are delivered in the order of `sequence`."""

    correlation_id: str
    sequence: int
    notice: Notice
    written_at: Instant
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    last_error: str | None = None
    slack_ts: str | None = None
    """Slack's id of the message that this row became; with it, a duplicate can be told."""


class SlackThread(Value):
    """The parent message of a deployment, edited in place; details go into its thread."""

    channel: str
    parent_ts: str
    url: str | None = None
    """A link for people; None where Slack gave none."""
