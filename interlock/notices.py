"""What is announced of each step: the facts of a notice, taken from the domain's values."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from interlock.models.approval import Approval
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.finding import Finding
from interlock.models.notice import Notice, NoticeKind, OutboxRow
from interlock.models.outcome import Outcome
from interlock.models.stack import ChangeSet

_KIND_OF_STATUS = {
    DeploymentStatus.SUCCEEDED: NoticeKind.SUCCEEDED,
    DeploymentStatus.FAILED: NoticeKind.FAILED,
    DeploymentStatus.ROLLED_BACK: NoticeKind.ROLLED_BACK,
    DeploymentStatus.TIMED_OUT: NoticeKind.TIMED_OUT,
    DeploymentStatus.CANCELLED: NoticeKind.CANCELLED,
    DeploymentStatus.SUPERSEDED: NoticeKind.SUPERSEDED,
    DeploymentStatus.REJECTED: NoticeKind.REJECTED,
    DeploymentStatus.DENIED: NoticeKind.DENIED,
    DeploymentStatus.EXPIRED: NoticeKind.EXPIRED,
}

_MOST_CHANGES = 20


def notice_of(outcome: Outcome, deployment: Deployment, *, now: datetime) -> Notice:
    """The last notice of a deployment."""
    since = deployment.deploying_since or deployment.started_at
    facts: dict[str, JsonValue] = {
        "duration_seconds": (now - since).total_seconds(),
        "application_url": outcome.application_url,
        "no_changes": outcome.no_changes,
        "outputs": dict(outcome.outputs),
        "error": outcome.reason,
        "locked": outcome.locked,
        "waited_minutes": round(((now - deployment.started_at).total_seconds() - deployment.approval_seconds) / 60, 1),
    }
    if outcome.first_cause:
        facts["first_cause"] = outcome.first_cause.model_dump(mode="json")
    return Notice(kind=_KIND_OF_STATUS[outcome.status], facts=facts | diagnosis_facts(outcome.findings))


def diagnosis_facts(findings: Sequence[Finding]) -> dict[str, JsonValue]:
    """What was found out about a stuck or failed resource; nothing when nothing was."""
    if not findings:
        return {}
    return {
        "diagnosis": [each.text for each in findings],
        "diagnosis_links": {each.label: each.url for each in findings if each.url},
    }


def notice_of_changes(change_set: ChangeSet) -> Notice:
    return Notice(kind=NoticeKind.CHANGES, facts=_facts_of_changes(change_set))


def announced_changes(rows: Iterable[OutboxRow]) -> Sequence[Mapping[str, Any]]:
    """What a deployment's last change set would do, as it was announced: its first changes, each with `action`,
    `logical_id`, `resource_type` and `replacement`. Empty if none was.
    """
    told: list[Any] = [row.notice.facts["changes"] for row in rows if row.notice.kind is NoticeKind.CHANGES]
    return told[-1] if told else []


def notice_of_request(change_set: ChangeSet, approval: Approval) -> Notice:
    """An approval is asked for: of what, until when, and whether it is asked for again."""
    asked = {"hash": approval.hash, "round": approval.round, "expires_at": approval.expires_at.isoformat()}
    return Notice(kind=NoticeKind.APPROVAL_REQUESTED, facts=_facts_of_changes(change_set) | asked)


def _facts_of_changes(change_set: ChangeSet) -> dict[str, JsonValue]:
    changes: list[JsonValue] = [
        change.model_dump(mode="json", include={"action", "logical_id", "resource_type", "replacement"})
        for change in change_set.changes[:_MOST_CHANGES]
    ]
    return {"counts": dict(change_set.counts), "changes": changes}
