"""Who is active in an environment, and what that means for a request by the environment's queue policy."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from interlock.clock import Clock
from interlock.errors import DeploymentInProgressError, EnvironmentLockedError
from interlock.locks import lock_on
from interlock.models.base import Value
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.environment import Environment, QueuePolicy
from interlock.models.lock import Lock
from interlock.models.notice import Notice, NoticeKind
from interlock.models.queue import Hold, Ticket, ahead_of
from interlock.models.stack import Stack
from interlock.monitoring.estimate import Estimate
from interlock.monitoring.past import HISTORY_FOR_ESTIMATES
from interlock.queue_estimate import expected_wait
from interlock.registry import Registry


class Finding(Value):
    """What the active check found ahead of a request."""

    holder: str | None = None
    """The correlation id of who is active, or a description of a stranger's operation."""
    holder_started_at: datetime | None = None
    holder_is_foreign: bool = False
    holder_is_recovery: bool = False
    """A person continues the stack's failed rollback."""
    position: int = 0
    """How many requests are ahead in the queue."""
    wait: Estimate | None = None
    lock: Lock | None = None
    """The lock that is on, if the request heeds it."""

    @property
    def holder_kind(self) -> str:
        if self.holder_is_recovery:
            return "recovery"
        return "foreign" if self.holder_is_foreign else "deployment"

    @property
    def is_busy(self) -> bool:
        return self.holder is not None or self.position > 0 or self.lock is not None

    @property
    def in_words(self) -> str:
        since = f" since {self.holder_started_at:%H:%M:%S} UTC" if self.holder_started_at else ""
        holder = f"{self.holder}{since} is active" if self.holder else "nobody is active"
        queue = f"{holder}, {self.position} waiting ahead{self._wait_in_words}."
        return f"{queue} The environment is {self.lock.in_words}." if self.lock else queue

    @property
    def _wait_in_words(self) -> str:
        if self.wait is None:
            return ""
        return f", the turn is expected in {self.wait.p50_seconds:.0f} to {self.wait.p90_seconds:.0f} s"


@dataclass(frozen=True)
class ActiveCheck:
    """The check, and what follows from it: told to the channel, older requests superseded, or this one rejected."""

    registry: Registry
    environment: Environment
    clock: Clock

    def look(self, deployment: Deployment, stack: Stack | None) -> Finding:
        """What is ahead of `deployment`, which has its ticket already.

        Raises:
            DeploymentInProgressError, EnvironmentLockedError: something is, and the policy is `reject`.
        """
        lock = lock_on(self.registry, self.environment, self.clock())
        ahead = self._ahead_of(deployment, lock)
        if self.environment.queue_policy is QueuePolicy.LATEST:
            ahead = [
                ticket
                for ticket in ahead
                if not self._supersede(ticket.correlation_id, deployment, lock, passes_locks=ticket.passes_locks)
            ]
            self._supersede_unapproved(deployment, lock)
        finding = self._finding(deployment, stack, len(ahead))
        finding = finding.model_copy(update={"lock": None if deployment.passes_locks else lock})
        if finding.is_busy:
            self._tell(deployment, finding)
        return finding

    def _ahead_of(self, deployment: Deployment, lock: Lock | None) -> list[Ticket]:
        waiting = self.registry.queue.waiting(self.environment.name)
        ahead = ahead_of(deployment.correlation_id, waiting, is_locked=lock is not None)
        return waiting if ahead is None else ahead

    def _finding(self, deployment: Deployment, stack: Stack | None, position: int) -> Finding:
        hold = self.registry.holds.current(self.environment.name)
        if hold and hold.is_of_recovery and hold.is_live(self.clock()):
            return Finding(
                holder=hold.owner, holder_started_at=hold.granted_at, holder_is_recovery=True, position=position
            )
        holder = self._holder(hold, deployment)
        busy = stack is not None and stack.state.is_in_progress
        wait = self._expected_wait(holder, position, stack if busy else None) if holder or busy or position else None
        if holder is not None:
            return Finding(
                holder=holder.correlation_id, holder_started_at=holder.deploying_since, position=position, wait=wait
            )
        if stack is not None and busy and not deployment.has_begun:
            return Finding(
                holder=f"an operation of another tool ({stack.status})",
                holder_started_at=stack.last_updated_time or stack.creation_time,
                holder_is_foreign=True,
                position=position,
                wait=wait,
            )
        return Finding(position=position, wait=wait)

    def _holder(self, hold: Hold | None, deployment: Deployment) -> Deployment | None:
        if hold is None or hold.is_of_recovery or hold.owner in (None, deployment.correlation_id):
            return None
        return self.registry.deployments.get(hold.owner or "", with_events=False)

    def _expected_wait(self, holder: Deployment | None, position: int, busy: Stack | None) -> Estimate:
        history = self.registry.deployments.history(self.environment.name, limit=HISTORY_FOR_ESTIMATES)
        since = (busy.last_updated_time or busy.creation_time or self.clock()) if busy else None
        return expected_wait(holder, history, ahead=position, now=self.clock(), stranger_since=since)

    def _supersede_unapproved(self, winner: Deployment, lock: Lock | None) -> None:
        """They have no ticket, and would deploy something older over this one's when somebody approves them."""
        for one in self.registry.deployments.active():
            if one.environment == self.environment.name and one.awaits_approval and one.asked_at < winner.asked_at:
                self._supersede(one.correlation_id, winner, lock, passes_locks=one.passes_locks)

    def _supersede(self, older: str, winner: Deployment, lock: Lock | None, *, passes_locks: bool) -> bool:
        """End an older request that still waits; never the one that runs (its ticket became the hold), nor, for one that a
        lock holds back, an emergency that it does not.
        """
        if lock and passes_locks and not winner.passes_locks:
            return False
        by = winner.correlation_id
        return self.registry.deployments.finish(
            older,
            DeploymentStatus.SUPERSEDED,
            reason=f"Superseded by the newer request {by}.",
            events=[DeploymentEvent(timestamp=self.clock(), event="DEPLOYMENT_SUPERSEDED", details=f"By {by}.")],
            notices=[Notice(kind=NoticeKind.SUPERSEDED, facts={"by": by})],
            changes={},
        )

    def _tell(self, deployment: Deployment, finding: Finding) -> None:
        facts = _facts(finding, self.environment.queue_policy)
        # One that was approved was let in before: it waits for its turn like any other.
        if self.environment.queue_policy is QueuePolicy.REJECT and deployment.approval is None:
            raise self._rejection(deployment, finding)
        self.registry.deployments.record(
            deployment.correlation_id,
            events=[DeploymentEvent(timestamp=self.clock(), event="DEPLOYMENT_QUEUED", details=finding.in_words)],
            notices=[Notice(kind=NoticeKind.QUEUED, facts=facts)],
        )

    def _rejection(
        self, deployment: Deployment, finding: Finding
    ) -> EnvironmentLockedError | DeploymentInProgressError:
        what = f"The environment is {finding.lock.in_words}." if finding.lock else finding.in_words
        return (EnvironmentLockedError if finding.lock else DeploymentInProgressError)(
            what if finding.lock else f"Deployment already in progress: {what}",
            environment=self.environment.name,
            correlation_id=deployment.correlation_id,
            next_step="Ask again when it has ended; this environment's queue policy is `reject`.",
        )


def _facts(finding: Finding, policy: QueuePolicy) -> dict[str, JsonValue]:
    return {
        "holder": finding.holder,
        "holder_started_at": finding.holder_started_at.isoformat() if finding.holder_started_at else None,
        "holder_kind": finding.holder_kind,
        "position": finding.position + 1,
        "estimate_minutes_low": round(finding.wait.p50_seconds / 60, 1) if finding.wait else None,
        "estimate_minutes_high": round(finding.wait.p90_seconds / 60, 1) if finding.wait else None,
        "policy": policy.value,
    } | (finding.lock.facts if finding.lock else {})
