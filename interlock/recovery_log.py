"""What is kept and told of recoveries: the environment's audit, and the record and thread of the stack's last deployment."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from interlock.blocked_rollback import BlockedRollback
from interlock.clock import Clock
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.lock import LockEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.registry import Registry

STARTED = "RECOVERY_STARTED"
ENDED = "RECOVERY_ENDED"


@dataclass(frozen=True)
class RecoveryLog:
    """Of one environment."""

    registry: Registry
    environment: str
    clock: Clock

    @property
    def last_deployment(self) -> Deployment | None:
        """The last one that touched the stack; None if none of the newest did."""
        return next((one for one in self._newest() if one.has_begun), None)

    @property
    def has_secrets(self) -> bool:
        """A rollback is to what was before: it may quote an earlier deployment's secrets as well."""
        return any(one.has_secrets for one in self._newest())

    def started(self, recovery_id: str, *, by: str, reason: str, skipped: Sequence[str]) -> None:
        skipping = f", skipping {', '.join(skipped)}" if skipped else ""
        facts: dict[str, JsonValue] = {"by": by, "recovery_reason": reason, "skipped": list(skipped)}
        notice = Notice(kind=NoticeKind.RECOVERY_STARTED, facts=facts)
        self._write(STARTED, by, f"{recovery_id}{skipping}: {reason}", notice)

    def not_begun(self, recovery_id: str, *, by: str, why: str) -> None:
        notice = Notice(kind=NoticeKind.RECOVERY_ENDED, facts={"by": by, "is_well": False, "error": why})
        self._write(ENDED, by, f"{recovery_id} was not carried out: {why}", notice)

    def ended(
        self, recovery_id: str, *, by: str, status: str, is_well: bool, still_blocked: BlockedRollback | None = None
    ) -> None:
        names: list[JsonValue] = [each.failure.name for each in still_blocked.blockers] if still_blocked else []
        facts: dict[str, JsonValue] = {"by": by, "is_well": is_well, "stack_status": status, "blocked_by": names}
        notice = Notice(kind=NoticeKind.RECOVERY_ENDED, facts=facts)
        self._write(ENDED, by, f"{recovery_id}: the stack is in {status}", notice)

    def _write(self, name: str, by: str, details: str, notice: Notice) -> None:
        now, last = self.clock(), self.last_deployment
        told_of = last.correlation_id if last else None
        audit = LockEvent(timestamp=now, event=name, by=by, details=details, correlation_id=told_of)
        self.registry.locks.audit(self.environment, audit)
        if told_of:
            event = DeploymentEvent(timestamp=now, event=name, details=f"{details} (by {by})")
            self.registry.deployments.record(told_of, events=[event], notices=[notice])

    def _newest(self) -> Sequence[Deployment]:
        return self.registry.deployments.history(self.environment)
