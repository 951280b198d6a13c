"""What CloudFormation shows of a stack, read once and passed on as values."""

import re

from pydantic import Field

from interlock.models.base import Instant, Value
from interlock.models.stack_status import StackStatus

NOTHING_TO_CHANGE = ("The submitted information didn't contain changes.", "No updates are to be performed")
"""CloudFormation has no code for it, only these texts (the second with transforms and nested stacks)."""

NESTED_STACK = "AWS::CloudFormation::Stack"

_CANCELLED = re.compile(r"\W*(resource |stack )?(\w+ )?(was )?cancell?ed\b", re.IGNORECASE)
"""`Resource creation cancelled` and its like. The word alone is not enough: a job that a service ran may be cancelled too."""


class Stack(Value):
    """A stack as `DescribeStacks` shows it."""

    name: str
    stack_id: str
    status: str
    status_reason: str | None = None
    outputs: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    creation_time: Instant | None = None
    last_updated_time: Instant | None = None

    @property
    def state(self) -> StackStatus:
        return StackStatus(self.status)


class StackEvent(Value):
    """One line of a stack's event log. `token` is the `ClientRequestToken` of the operation that caused it."""

    event_id: str
    timestamp: Instant
    stack_id: str
    stack_name: str
    logical_id: str
    physical_id: str | None = None
    resource_type: str
    status: str
    reason: str | None = None
    token: str | None = None

    @property
    def state(self) -> StackStatus:
        return StackStatus(self.status)

    def is_of(self, token: str) -> bool:
        """Caused by the operation of this token, or by a call that steered it (`<token>-cancel`): after a cancel, the
        rollback's events carry the cancel's token, and AWS refuses one token for two calls.
        """
        return self.token is not None and (self.token == token or self.token.startswith(f"{token}-"))

    @property
    def is_cancellation(self) -> bool:
        """Stopped because another resource failed: never a first cause."""
        return self.state.is_failure and bool(_CANCELLED.match(self.reason or ""))

    @property
    def is_of_the_stack(self) -> bool:
        """The stack speaks of itself (of nested stacks, the parent's events carry another physical id)."""
        return self.physical_id == self.stack_id


class Operation(Value):
    """A stack operation as the stack's own events tell it. `token` is None when its caller gave none."""

    token: str | None
    started_at: Instant
    status: str

    @property
    def state(self) -> StackStatus:
        return StackStatus(self.status)

    @property
    def is_ended(self) -> bool:
        return self.state.is_terminal


class Change(Value):
    """One resource that a change set would add, modify, remove or import."""

    action: str
    logical_id: str
    physical_id: str | None = None
    resource_type: str
    replacement: str | None = None
    scope: tuple[str, ...] = ()


class ChangeSet(Value):
    """A change set as `DescribeChangeSet` shows it, all pages of its changes together."""

    arn: str
    name: str
    stack_id: str
    stack_name: str
    status: str
    execution_status: str
    status_reason: str | None = None
    changes: tuple[Change, ...] = ()

    @property
    def is_being_made(self) -> bool:
        return self.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS")

    @property
    def is_empty(self) -> bool:
        """There is nothing to change: CloudFormation calls that a failure, we do not."""
        return self.status == "FAILED" and any(text in (self.status_reason or "") for text in NOTHING_TO_CHANGE)

    @property
    def is_executable(self) -> bool:
        return self.execution_status == "AVAILABLE"

    @property
    def counts(self) -> dict[str, int]:
        """How many resources are added, modified, removed, replaced; a replacement counts as that alone."""
        counts: dict[str, int] = {}
        for change in self.changes:
            kind = "Replace" if change.replacement == "True" else change.action
            counts[kind] = counts.get(kind, 0) + 1
        return counts


class Failure(Value):
    """What failed, of itself: no cancellation. `kind` names what is known of such failures, `hint` what to do about them.

    `physical_id` is None where the stack speaks of itself, and where the log has none.
    """

    logical_id: str
    resource_type: str
    status: str
    reason: str
    timestamp: Instant
    stack_name: str
    stack_id: str = ""
    physical_id: str | None = None
    kind: str | None = None
    hint: str | None = None

    @property
    def name(self) -> str:
        return f"{self.logical_id} ({self.resource_type})"
