"""What the simulated CloudFormation knows: stacks, their resources and events, change sets, operations."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interlock.rehearsal.aws.cloudformation.operation import Operation

Json = dict[str, Any]
Note = Callable[[str, str, str], None]
"""note(logical id, type, reason): something is not done as AWS does it."""
STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Place:
    """Where a stack lives, and what it is called there."""

    account: str
    region: str
    stack_name: str
    stack_id: str


@dataclass(frozen=True)
class Blueprint:
    """A template together with everything it is deployed with."""

    body: str = ""
    template: Json = field(default_factory=dict)
    """After the transforms."""
    parameters: dict[str, str] = field(default_factory=dict)
    """As given or by default, before SSM."""
    resolved: dict[str, str] = field(default_factory=dict)
    """What the SSM parameter types stand for."""
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    notification_arns: tuple[str, ...] = ()

    @property
    def resources(self) -> dict[str, Json]:
        return dict(self.template.get("Resources") or {})

    def value_of(self, parameter: str) -> str:
        return self.resolved.get(parameter, self.parameters[parameter])


@dataclass
class Resource:
    """A resource as it stands. `properties` are resolved; `definition` is the template's own."""

    logical_id: str
    resource_type: str
    definition: Json = field(default_factory=dict)
    properties: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    physical_id: str = ""
    attributes: Json = field(default_factory=dict)
    is_standin: bool = False
    status: str = ""
    reason: str = ""
    changed_at: datetime = field(default_factory=now)


@dataclass
class Stack:
    place: Place
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    created_at: datetime = field(default_factory=now)
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    blueprint: Blueprint = field(default_factory=Blueprint)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    """Oldest first."""
    operation: "Operation | None" = None
    is_protected: bool = False
    disable_rollback: bool = False

    @property
    def name(self) -> str:
        return self.place.stack_name

    @property
    def stack_id(self) -> str:
        return self.place.stack_id

    @property
    def is_busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def is_gone(self) -> bool:
        return self.status == "DELETE_COMPLETE"

    def record_event(self, resource: Resource, status: str, reason: str = "", token: str | None = None) -> None:
        """Set the resource's status and write the event that says so."""
        resource.status, resource.reason, resource.changed_at = status, reason, now()
        self.events.append(
            {
                "StackId": self.stack_id,
                "StackName": self.name,
                "EventId": f"{resource.logical_id}-{status}-{uuid.uuid4()}",
                "LogicalResourceId": resource.logical_id,
                "PhysicalResourceId": resource.physical_id,
                "ResourceType": resource.resource_type,
                "Timestamp": resource.changed_at,
                "ResourceStatus": status,
                "ResourceStatusReason": reason or None,
                "ClientRequestToken": token or None,
            }
        )

    def enter(self, status: str, reason: str = "", token: str | None = None) -> None:
        """Put the stack itself into `status`, with its event."""
        self.status, self.reason = status, reason
        self.record_event(Resource(self.name, STACK_TYPE, physical_id=self.stack_id), status, reason, token)


@dataclass
class ChangeSet:
    name: str
    arn: str
    stack: Stack
    kind: str
    """CREATE or UPDATE."""
    blueprint: Blueprint
    changes: list[Json] = field(default_factory=list)
    description: str | None = None
    status: str = "CREATE_IN_PROGRESS"
    execution_status: str = "UNAVAILABLE"
    reason: str = ""
    created_at: datetime = field(default_factory=now)


@dataclass
class OperationRecord:
    """One line of `GET /_rehearsal/operations`: proof of what ran when (epoch seconds)."""

    stack: str
    token: str | None
    kind: str
    started: float
    ended: float | None = None
    outcome: str | None = None
