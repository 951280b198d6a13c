"""Asking a person for approval, and what their decision, or the lack of one, means for the record."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.changes_hash import SHOWN
from interlock.clock import Clock
from interlock.errors import ApprovalExpiredError, DeniedError
from interlock.models.approval import Answer, Approval, Decision
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.environment import ApprovalRule, Environment
from interlock.models.notice import Notice, NoticeKind
from interlock.models.outcome import Outcome
from interlock.models.stack import ChangeSet
from interlock.notices import notice_of_request
from interlock.registry import Registry


def is_needed(environment: Environment, deployment: Deployment, changes: str) -> bool:
    """Whether nobody has approved the changes of this hash yet, and somebody must."""
    if environment.approval is not ApprovalRule.REQUIRED:
        return False
    return deployment.approval is None or not deployment.approval.covers(changes)


def expired(deployment: Deployment) -> Outcome:
    """The ending of one that nobody decided about in time."""
    return Outcome(status=DeploymentStatus.EXPIRED, reason=_in_time(deployment))


def raise_if_refused(deployment: Deployment) -> None:
    """Raises DeniedError if a person denied the changes; says nothing of one that nobody was asked about."""
    approval = deployment.approval
    if approval is None or approval.decision is not Decision.DENY:
        return
    why = f": {approval.reason}" if approval.reason else "."
    raise DeniedError(
        f"{approval.decided_by} denied the changes{why}",
        environment=deployment.environment,
        correlation_id=deployment.correlation_id,
        next_step="Nothing was changed.",
    )


@dataclass(frozen=True)
class Approvals:
    """The approvals of one environment's deployments, on record."""

    registry: Registry
    environment: Environment
    clock: Clock

    def request(self, deployment: Deployment, change_set: ChangeSet, changes: str) -> Deployment:
        """Ask for approval of the changes of this hash. The deployment is back in the state of one that waits."""
        now = self.clock()
        approval = Approval(
            hash=changes,
            round=deployment.approval.round + 1 if deployment.approval else 1,
            requested_at=now,
            expires_at=now + timedelta(minutes=self.environment.approval_expires_minutes),
        )
        details = f"Changes {changes[:SHOWN]}, until {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC."
        return self.registry.deployments.record(
            deployment.correlation_id,
            events=[DeploymentEvent(timestamp=now, event="APPROVAL_REQUESTED", details=details)],
            notices=[notice_of_request(change_set, approval)],
            # The change set is gone, and the time from the first grant to now was none of deploying.
            changes={
                "approval": approval,
                "status": DeploymentStatus.QUEUED,
                "deploying_since": None,
                "change_set_arn": None,
            },
        )

    def decide(self, deployment: Deployment, answer: Answer, *, at: datetime) -> Deployment:
        """Put on record what a person decided, `at` the moment when they did.

        Raises:
            ApprovalExpiredError: too late.
        """
        asked = deployment.approval
        if asked is None or not asked.is_pending:
            return deployment
        if asked.is_over(at):
            raise ApprovalExpiredError(
                _in_time(deployment),
                environment=deployment.environment,
                correlation_id=deployment.correlation_id,
                next_step="Ask for the deployment again.",
            )
        if not asked.is_of(answer.hash):
            return self._ask_on(deployment, asked, answer)
        is_approved = answer.decision is Decision.APPROVE
        told = {"by": answer.actor, "reason": answer.reason or None}
        return self.registry.deployments.record(
            deployment.correlation_id,
            events=[
                DeploymentEvent(timestamp=at, event="APPROVED" if is_approved else "DENIED", details=_said(answer))
            ],
            notices=[Notice(kind=NoticeKind.APPROVED, facts=dict(told))] if is_approved else [],
            changes={"approval": asked.decided(answer, at), "approval_seconds": _waited(deployment, asked, at)},
        )

    def _ask_on(self, deployment: Deployment, asked: Approval, answer: Answer) -> Deployment:
        """They answered for other changes than these, which they may not have seen."""
        details = f"{answer.actor} meant changes {answer.hash[:SHOWN]}, not {asked.hash[:SHOWN]}: asked again."
        return self.registry.deployments.record(
            deployment.correlation_id,
            events=[DeploymentEvent(timestamp=self.clock(), event="APPROVAL_NOT_TAKEN", details=details)],
            changes={"approval": asked.model_copy(update={"round": asked.round + 1})},
        )


def _said(answer: Answer) -> str:
    return f"By {answer.actor}{f': {answer.reason}' if answer.reason else '.'}"


def _waited(deployment: Deployment, asked: Approval, until: datetime) -> float:
    return deployment.approval_seconds + (until - asked.requested_at).total_seconds()


def _in_time(deployment: Deployment) -> str:
    until = f" by {deployment.approval.expires_at:%Y-%m-%d %H:%M:%S} UTC" if deployment.approval else " in time"
    return f"Nobody approved or denied the changes{until}. Nothing was changed."
