"""A person's say over a deployment's changes: asked for, given or withheld, and to which changes it applies."""

from datetime import datetime
from enum import StrEnum

from interlock.models.base import Instant, NonEmpty, Value


class Decision(StrEnum):
    """What a person decides."""

    APPROVE = "approve"
    DENY = "deny"


class Answer(Value):
    """A decision, by whom, and why."""

    decision: Decision
    actor: NonEmpty
    reason: str = ""
    hash: str = ""
    """The changes that the person has seen, if they said so: any beginning of their hash."""


class Approval(Value):
    """An approval that was asked for. It holds for the changes of this hash and for no others."""

    hash: NonEmpty
    round: int = 1
    """How often this deployment has asked: again when the changes are different by the time it is its turn."""
    requested_at: Instant
    expires_at: Instant
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: Instant | None = None
    reason: str | None = None

    @property
    def is_pending(self) -> bool:
        return self.decision is None

    def is_over(self, now: datetime) -> bool:
        """Expired at `expires_at`, not before."""
        return now >= self.expires_at

    def covers(self, changes: str) -> bool:
        """Whether these changes, given by their hash, are the approved ones."""
        return self.decision is Decision.APPROVE and self.hash == changes

    def is_of(self, seen: str) -> bool:
        """Whether a person who has seen the changes of this hash (or its beginning; empty if unsaid) means these."""
        return self.hash.startswith(seen)

    def decided(self, answer: Answer, at: datetime) -> "Approval":
        return self.model_copy(
            update={
                "decision": answer.decision,
                "decided_by": answer.actor,
                "decided_at": at,
                "reason": answer.reason or None,
            }
        )
