"""An environment: the named target that deployments are exclusive for."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from interlock.models.base import Value
from interlock.models.freeze import FreezeWindow
from interlock.models.mention import Mention

EnvironmentName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class QueuePolicy(StrEnum):
    """What happens to a request that finds the environment busy."""

    WAIT = "wait"
    LATEST = "latest"
    REJECT = "reject"


class OnCancel(StrEnum):
    """What becomes of a stack that is being created when its deployment is cancelled. A running update is rolled back."""

    FINISH = "finish"
    """Left to finish: the deployment ends as its stack does."""
    DELETE = "delete"


class ApprovalRule(StrEnum):
    """Whether a person must agree to the changes before they are made."""

    NONE = "none"
    REQUIRED = "required"


class Capability(StrEnum):
    """What a template may be allowed to do; CloudFormation's own list."""

    IAM = "CAPABILITY_IAM"
    NAMED_IAM = "CAPABILITY_NAMED_IAM"
    AUTO_EXPAND = "CAPABILITY_AUTO_EXPAND"


class Environment(Value):
    """`[environments.NAME]` of the environments file."""

    name: EnvironmentName
    stack_name: Annotated[str, Field(pattern=r"^[a-zA-Z][-a-zA-Z0-9]{0,127}$")]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$")]
    role_arn: Annotated[str | None, Field(description="assumed to call CloudFormation")] = None
    service_role_arn: Annotated[str | None, Field(description="given to CloudFormation")] = None
    slack_channel: str | None = None
    mention_on_failure: Annotated[tuple[Mention, ...], Field(max_length=10)] = ()
    queue_policy: QueuePolicy = QueuePolicy.WAIT
    max_wait_minutes: Annotated[float, Field(gt=0, le=7 * 24 * 60)] = 30
    stall_after_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 10
    on_cancel: OnCancel = OnCancel.FINISH
    freeze: Annotated[tuple[FreezeWindow, ...], Field(max_length=20, description="locked in these hours")] = ()
    approval: ApprovalRule = ApprovalRule.NONE
    approval_expires_minutes: Annotated[float, Field(gt=0, le=30 * 24 * 60)] = 24 * 60
    application_url_output: str | None = None
    capabilities: tuple[Capability, ...] = ()
    parameters: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def slot_name(self) -> str:
        """The Prefect global concurrency limit that orders and shows who is active."""
        return f"environment-{self.name}"
