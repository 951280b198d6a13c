"""A deployment: one attempt to bring an environment's stack to a template. Its JSON is the record."""

from enum import StrEnum

from pydantic import Field

from interlock.models.approval import Approval
from interlock.models.base import Instant, Value
from interlock.models.past_operation import PastOperation


class DeploymentStatus(StrEnum):
    """Where a deployment stands. The final ones never change."""

    QUEUED = "QUEUED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ROLLED_BACK = "ROLLED_BACK"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    SUPERSEDED = "SUPERSEDED"
    REJECTED = "REJECTED"
    DENIED = "DENIED"
    EXPIRED = "EXPIRED"
    """Nobody approved or denied it in time."""

    @property
    def is_final(self) -> bool:
        return self not in (DeploymentStatus.QUEUED, DeploymentStatus.IN_PROGRESS)


class DeploymentEvent(Value):
    """Something that happened to a deployment, in the words of a log: `DEPLOYMENT_REQUESTED`."""

    timestamp: Instant
    event: str
    details: str = ""


class Deployment(Value):
    """The registry's record. The first fields' names are fixed (design, section 4); consumers parse them."""

    correlation_id: str
    workflow_run_id: str | None = None
    environment: str
    stack_name: str
    status: DeploymentStatus = DeploymentStatus.QUEUED
    started_at: Instant
    updated_at: Instant
    finished_at: Instant | None = None
    github_run_url: str | None = None
    aws_console_url: str | None = None
    flow_run_id: str | None = None
    operation_token: str | None = None
    change_set_arn: str | None = None
    stack_status: str | None = None
    fence: int | None = None
    reason: str | None = None
    events: tuple[DeploymentEvent, ...] = ()

    region: str
    asked_at: Instant
    """When the request was made: the flow run's creation. It orders the queue."""
    deploying_since: Instant | None = None
    """When the hold was granted: the end of the wait."""
    flow_run_url: str | None = None
    retry_of: str | None = None
    """The deployment of the same flow run before this one: it had ended, and a person had the run tried again."""
    actor: str | None = None
    git_sha: str | None = None
    template_sha256: str | None = None
    change_counts: dict[str, int] = Field(default_factory=dict)
    """How many resources the change set adds, modifies, removes and replaces; empty until it is read."""
    outputs: dict[str, str] = Field(default_factory=dict)
    application_url: str | None = None
    no_changes: bool = False
    operation_asked_at: Instant | None = None
    """When the token was stored, right before the call."""
    by_command: bool = False
    """The environment's own command was started, or was about to be, at `operation_asked_at`: its operation bears no
    token of ours."""
    command_after_event: str | None = None
    """The stack's newest event before the command was started; None: there was none. What begins after it is its doing."""
    process_lost_at: Instant | None = None
    """When the process that ran the command was first found dead: the command outlives it by a little."""
    has_secrets: bool = False
    """Some of its parameters are secret: AWS may quote them, and only its own process knows them."""
    cancel_requested: bool = False
    """A person wanted it to end; whoever sees its operation through turns it back."""
    lock_override: str | None = None
    """Why it may begin though the environment is locked: an emergency. None: it heeds locks."""
    stacks: tuple[str, ...] = ()
    """Of a deployment of several stacks all of them, in their order; `stack_name` is the one that it is at."""
    slot_lease_id: str | None = None
    """Prefect's name for its having the slot: whoever finds its process dead gives the slot back by it."""
    approval: Approval | None = None
    """The last one that was asked for."""
    approval_seconds: float = 0
    """How long it waited for people, all in all: no part of the wait in the queue."""
    likely_finish: Instant | None = None
    """When it will probably have ended (p50), as its monitor last saw it; `late_finish` is the p90."""
    late_finish: Instant | None = None
    operation: PastOperation | None = None
    """How long its operation and the resources took, for the estimates of later ones; None before the end."""

    @property
    def stacks_done(self) -> tuple[str, ...]:
        """Those that it has deployed; none of an ordinary deployment's."""
        return self.stacks[: self.stacks.index(self.stack_name)] if self.stacks else ()

    @property
    def stacks_left(self) -> tuple[str, ...]:
        """Those that come after the one that it is at."""
        return self.stacks[self.stacks.index(self.stack_name) + 1 :] if self.stacks else ()

    @property
    def stack_in_words(self) -> str:
        which = f", {len(self.stacks_done) + 1} of {len(self.stacks)}" if self.stacks else ""
        return f"{self.stack_name} ({self.region}{which})"

    @property
    def has_begun(self) -> bool:
        """Its operation was asked for, or is about to be: from here on it is adopted, never started anew.

        Of several stacks: that of the stack that it is at.
        """
        return self.operation_token is not None or self.by_command

    @property
    def passes_locks(self) -> bool:
        """A lock keeps out who is new: neither an emergency nor what has begun already."""
        return self.lock_override is not None or self.has_begun or bool(self.stacks_done)

    @property
    def awaits_approval(self) -> bool:
        """Nobody has decided yet. Until then it has no process, no ticket and no hold, and lacks nothing."""
        return not self.status.is_final and self.approval is not None and self.approval.is_pending

    @property
    def queue_seconds(self) -> float | None:
        """Seconds from the request to the grant of the hold (to the end, if it was never granted), people's time apart."""
        until = self.deploying_since or self.finished_at
        return (until - self.started_at).total_seconds() - self.approval_seconds if until else None

    @property
    def duration_seconds(self) -> float | None:
        """Seconds from the grant of the hold to the end; None while it runs or if it never was granted."""
        if self.deploying_since is None or self.finished_at is None:
            return None
        return (self.finished_at - self.deploying_since).total_seconds()
