"""How each kind of notice is headed, and whether it changes what the deployment's parent message says."""

from typing import NamedTuple

from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import Notice, NoticeKind


class Headline(NamedTuple):
    """`parent` heads the parent message, `detail` the reply in the thread; `status` is the parent's one word or two."""

    emoji: str
    parent: str
    status: str
    detail: str


_RUNNING = "Deployment In Progress"

HEADLINES: dict[NoticeKind, Headline] = {
    NoticeKind.STARTED: Headline("🚀", "Deployment Started", "Started", "Deployment Started"),
    NoticeKind.QUEUED: Headline("⏸️", "Deployment Queued", "Queued", "Deployment Queued"),
    NoticeKind.WAITING: Headline("⏸️", "Deployment Queued", "Queued", "Still waiting"),
    NoticeKind.DEPLOYING: Headline("🛠️", _RUNNING, "In progress", "Its turn: deploying"),
    NoticeKind.CHANGES: Headline("🛠️", _RUNNING, "In progress", "Changes"),
    NoticeKind.PROGRESS: Headline("⏳", "Deployment Progress", "In progress", "Deployment Progress"),
    NoticeKind.STALLED: Headline("⚠️", "Deployment May Be Stalled", "In progress, perhaps stalled", "Stall warning"),
    NoticeKind.MOVING_AGAIN: Headline("🛠️", _RUNNING, "In progress", "Moving again"),
    NoticeKind.MONITOR_GAP: Headline("⚠️", _RUNNING, "In progress", "Monitoring gap"),
    NoticeKind.DEGRADED: Headline("⚠️", _RUNNING, "In progress", "Reduced coordination"),
    NoticeKind.ADOPTED: Headline("🛠️", _RUNNING, "In progress", "Deployment adopted"),
    NoticeKind.SUCCEEDED: Headline("✅", "Deployment Complete", "Succeeded", "Deployment Complete"),
    NoticeKind.FAILED: Headline("❌", "Deployment Failed", "Failed", "Deployment Failed"),
    NoticeKind.ROLLED_BACK: Headline(
        "❌", "Deployment Failed, Rolled Back", "Rolled back", "Deployment Failed, Rolled Back"
    ),
    NoticeKind.TIMED_OUT: Headline("⌛", "Deployment Timed Out", "Timed out in the queue", "Deployment Timed Out"),
    NoticeKind.CANCELLED: Headline("🚫", "Deployment Cancelled", "Cancelled", "Deployment Cancelled"),
    NoticeKind.SUPERSEDED: Headline("⏭️", "Deployment Superseded", "Superseded", "Deployment Superseded"),
    NoticeKind.REJECTED: Headline("⛔", "Deployment Rejected", "Rejected", "Deployment already in progress"),
    NoticeKind.LOCK_OVERRIDDEN: Headline("🚨", _RUNNING, "In progress, lock overridden", "Lock overridden"),
    NoticeKind.RELEASED_BY_FORCE: Headline("🔨", "Environment Taken Away", "Released by force", "Released by force"),
    NoticeKind.RECOVERY_STARTED: Headline("🩹", "Stack Recovery", "Recovery in progress", "Recovery started"),
    NoticeKind.RECOVERY_ENDED: Headline("🩹", "Stack Recovery", "Recovery ended", "Recovery ended"),
    NoticeKind.APPROVAL_REQUESTED: Headline(
        "✋", "Deployment Waits for Approval", "Waits for approval", "Approval needed"
    ),
    NoticeKind.APPROVED: Headline("👍", "Deployment Queued", "Approved, queued", "Changes approved"),
    NoticeKind.DENIED: Headline("🚫", "Deployment Denied", "Denied", "Deployment Denied"),
    NoticeKind.EXPIRED: Headline("⌛", "Deployment Expired", "Not approved in time", "Deployment Expired"),
    NoticeKind.SUMMARY: Headline("📬", _RUNNING, "In progress", "Slack is back"),
    NoticeKind.LOCKED: Headline("🔒", "Environment Locked", "Locked", "Environment Locked"),
    NoticeKind.UNLOCKED: Headline("🔓", "Environment Unlocked", "Unlocked", "Environment Unlocked"),
    NoticeKind.SWEPT: Headline("🧹", "Swept Up After a Crash", "Swept", "Swept Up After a Crash"),
}

_CRITICAL_STALL = Headline("🚨", "Deployment Stalled", "In progress, stalled", "Stall alarm")

_LOCKED_OUT = Headline("⛔", "Deployment Rejected", "Rejected", "Environment is locked")

_ASIDES = (
    NoticeKind.MONITOR_GAP,
    NoticeKind.DEGRADED,
    NoticeKind.SUMMARY,
    NoticeKind.RELEASED_BY_FORCE,
    NoticeKind.RECOVERY_STARTED,
    NoticeKind.RECOVERY_ENDED,
)
"""They say something about us or its stack, not about the deployment: its parent message stays as it is."""

_BY_STATUS: dict[DeploymentStatus, NoticeKind] = {
    DeploymentStatus.QUEUED: NoticeKind.STARTED,
    DeploymentStatus.IN_PROGRESS: NoticeKind.DEPLOYING,
    DeploymentStatus.SUCCEEDED: NoticeKind.SUCCEEDED,
    DeploymentStatus.FAILED: NoticeKind.FAILED,
    DeploymentStatus.ROLLED_BACK: NoticeKind.ROLLED_BACK,
    DeploymentStatus.CANCELLED: NoticeKind.CANCELLED,
    DeploymentStatus.TIMED_OUT: NoticeKind.TIMED_OUT,
    DeploymentStatus.SUPERSEDED: NoticeKind.SUPERSEDED,
    DeploymentStatus.REJECTED: NoticeKind.REJECTED,
    DeploymentStatus.DENIED: NoticeKind.DENIED,
    DeploymentStatus.EXPIRED: NoticeKind.EXPIRED,
}

_ALARMS = (NoticeKind.FAILED, NoticeKind.ROLLED_BACK, NoticeKind.TIMED_OUT)
_SHOWN_IN_CHANNEL = (
    *_ALARMS,
    NoticeKind.APPROVAL_REQUESTED,
    NoticeKind.LOCK_OVERRIDDEN,
    NoticeKind.RELEASED_BY_FORCE,
    NoticeKind.RECOVERY_STARTED,
    NoticeKind.RECOVERY_ENDED,
)
_CRITICAL = "critical"


def moves_parent(kind: NoticeKind) -> bool:
    return kind not in _ASIDES


def parent_kind(kind: NoticeKind, status: DeploymentStatus) -> NoticeKind:
    """The kind that the parent shows: the notice's own, or for an aside what the record's status comes to."""
    return kind if moves_parent(kind) else _BY_STATUS[status]


def is_alarm(notice: Notice) -> bool:
    """Worth a new message in the channel beside the thread, and a call to people: editing a message notifies nobody."""
    return _is_critical_stall(notice) or notice.kind in _ALARMS


def is_shown_in_channel(notice: Notice) -> bool:
    """An alarm, or what everybody should know of without being called."""
    return _is_critical_stall(notice) or notice.kind in _SHOWN_IN_CHANNEL


def headline(notice: Notice) -> Headline:
    if notice.kind is NoticeKind.REJECTED and notice.facts.get("locked") is True:
        return _LOCKED_OUT
    return _CRITICAL_STALL if _is_critical_stall(notice) else HEADLINES[notice.kind]


def parent_headline(notice: Notice, status: DeploymentStatus) -> Headline:
    """How the parent is headed after the notice: as the notice itself, or for an aside as the record's status."""
    return headline(notice) if moves_parent(notice.kind) else HEADLINES[_BY_STATUS[status]]


def _is_critical_stall(notice: Notice) -> bool:
    return notice.kind is NoticeKind.STALLED and notice.facts.get("severity") == _CRITICAL
