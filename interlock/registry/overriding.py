"""What a grant says and writes about the lock: nothing but its check, or, for an emergency, that it was overridden."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.lock import Lock, LockEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.registry.locks import StoredLock, audit_write
from interlock.registry.store import Write

LOCK_OVERRIDDEN = "LOCK_OVERRIDDEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overriding:
    """What a grant has to add."""

    events: tuple[DeploymentEvent, ...] = ()
    notices: tuple[Notice, ...] = ()
    writes: tuple[Write, ...] = ()


def overriding(
    lock: Lock | None, stored: StoredLock, deployment: Deployment, now: datetime, retention: timedelta
) -> Overriding:
    """`lock`: the one that is on; the deployment passes it."""
    if lock is None or deployment.lock_override is None:
        return Overriding(writes=(stored.unchanged,))
    why = f"The environment is {lock.in_words}. Overridden: {deployment.lock_override}"
    audit = LockEvent(
        timestamp=now,
        event=LOCK_OVERRIDDEN,
        by=deployment.actor or "an API caller",
        details=why,
        correlation_id=deployment.correlation_id,
    )
    facts = {**lock.facts, "override_reason": deployment.lock_override, "by": audit.by}
    return Overriding(
        events=(DeploymentEvent(timestamp=now, event=LOCK_OVERRIDDEN, details=f"{why} (by {audit.by})"),),
        notices=(Notice(kind=NoticeKind.LOCK_OVERRIDDEN, facts=facts),),
        writes=(stored.unchanged, audit_write(deployment.environment, audit, retention)),
    )
