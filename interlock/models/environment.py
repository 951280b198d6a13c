"""An environment: the named target that deployments are exclusive for."""

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, ValidationInfo, field_validator

from interlock.models.base import Value
from interlock.models.deployer import Deployer, placeholders, problems_of
from interlock.models.freeze import FreezeWindow
from interlock.models.mention import Mention

if TYPE_CHECKING:
    from interlock.models.deployment import Deployment

_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
EnvironmentName = Annotated[str, Field(pattern=_NAME)]


_ROLE = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[a-zA-Z0-9+=,.@_/-]{1,576}$"
_CHANNEL = r"^#?[^\s#@<>&|,:\x00-\x1f\x7f-\x9f]{1,80}$"
"""A name or an id. Slack's own rules differ by language; what would break its messages is refused."""
_LOGICAL_ID = r"^[a-zA-Z0-9]{1,255}$"

StackName = Annotated[str, Field(pattern=r"^[a-zA-Z][-a-zA-Z0-9]{0,127}$")]
RoleArn = Annotated[str, Field(pattern=_ROLE)]
LogicalId = Annotated[str, Field(pattern=_LOGICAL_ID)]
Text = Annotated[str, Field(max_length=4096, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""CloudFormation's own limit of a parameter's value."""
Minutes = Annotated[float, Field(strict=True, gt=0)]
"""A number, not a text or a truth that could be taken for one."""


def is_environment_name(text: str) -> bool:
    return re.fullmatch(_NAME, text) is not None


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
    stack_name: StackName
    stacks_before: Annotated[tuple[StackName, ...], Field(max_length=20)] = ()
    """Deployed before it, in this order, as one deployment."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d+$")]
    role_arn: Annotated[RoleArn | None, Field(description="assumed to call CloudFormation")] = None
    service_role_arn: Annotated[RoleArn | None, Field(description="given to CloudFormation")] = None
    slack_channel: Annotated[str, Field(pattern=_CHANNEL)] | None = None
    mention_on_failure: Annotated[tuple[Mention, ...], Field(max_length=10)] = ()
    queue_policy: QueuePolicy = QueuePolicy.WAIT
    max_wait_minutes: Annotated[Minutes, Field(le=7 * 24 * 60)] = 30
    stall_after_minutes: Annotated[Minutes, Field(le=24 * 60)] = 10
    on_cancel: OnCancel = OnCancel.FINISH
    freeze: Annotated[tuple[FreezeWindow, ...], Field(max_length=20, description="locked in these hours")] = ()
    approval: ApprovalRule = ApprovalRule.NONE
    approval_expires_minutes: Annotated[Minutes, Field(le=30 * 24 * 60)] = 24 * 60
    application_url_output: LogicalId | None = None
    capabilities: tuple[Capability, ...] = ()
    parameters: dict[LogicalId, Text] = Field(default_factory=dict)
    tags: dict[Text, Text] = Field(default_factory=dict)
    # The fields of a deployer come last: what they are held against is known by then.
    deployer: Annotated[Deployer, Field(validate_default=True)] = Deployer.CHANGE_SET
    command: Annotated[tuple[Text, ...], Field(max_length=100, validate_default=True)] = ()
    command_directory: Path | None = None
    command_timeout_minutes: Annotated[Minutes | None, Field(le=24 * 60)] = None

    @field_validator("stacks_before")
    @classmethod
    def _stacks_are_different(cls, before: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        names = [*before, info.data.get("stack_name")]
        if repeated := sorted({name for name in before if names.count(name) > 1}):
            raise ValueError(f"each stack once, and stack_name is the last: {', '.join(repeated)}")
        return before

    @field_validator("approval")
    @classmethod
    def _approval_is_of_one_stack(cls, approval: ApprovalRule, info: ValidationInfo) -> ApprovalRule:
        if approval is ApprovalRule.REQUIRED and info.data.get("stacks_before"):
            raise ValueError(
                '"required" excludes stacks_before: the changes of a stack are known when those before it are deployed'
            )
        return approval

    @field_validator("deployer")
    @classmethod
    def _deployer_fits(cls, deployer: Deployer, info: ValidationInfo) -> Deployer:
        """What only our own change set can do must not be promised of a command."""
        if deployer is not Deployer.COMMAND:
            return deployer
        if info.data.get("approval") is ApprovalRule.REQUIRED:
            raise ValueError(
                '"command" makes no change set that a person could approve: it excludes approval = "required"'
            )
        if info.data.get("stacks_before"):
            raise ValueError('"command" deploys what it will, and its stack is stack_name: it excludes stacks_before')
        if info.data.get("service_role_arn"):
            raise ValueError('"command" gives CloudFormation no role: name it in the command, not as service_role_arn')
        return deployer

    @field_validator("command")
    @classmethod
    def _command_fits(cls, command: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        found = list(problems_of(command))
        if (deployer := info.data.get("deployer")) is not None and (deployer is Deployer.COMMAND) != bool(command):
            found.append('it is needed with deployer = "command", and has no meaning without')
        unused = {"parameters", "tags"} - placeholders(command) if command else set()
        found += [
            f"{{{name}}} is missing: the environment's {name} would not be used"
            for name in sorted(unused)
            if info.data.get(name)
        ]
        if found:
            raise ValueError("; ".join(found))
        return command

    @field_validator("command_directory", "command_timeout_minutes")
    @classmethod
    def _is_for_a_command(cls, value: Path | float | None, info: ValidationInfo) -> Path | float | None:
        if value is not None and info.data.get("deployer") is Deployer.CHANGE_SET:
            raise ValueError('it has no meaning without deployer = "command"')
        if isinstance(value, Path) and not value.is_absolute():
            raise ValueError("it must be an absolute path")
        return value

    @property
    def stacks(self) -> tuple[str, ...]:
        """All of them, in the order of deployment."""
        return (*self.stacks_before, self.stack_name)

    def at(self, stack_name: str) -> Self:
        """The same environment, for whoever deals with this one of its stacks."""
        return self.model_copy(update={"stack_name": stack_name, "stacks_before": ()})

    def of(self, deployment: "Deployment") -> Self:
        """As it is for the stack that the deployment is at."""
        return self.at(deployment.stack_name) if deployment.stacks else self

    @property
    def slot_name(self) -> str:
        """The Prefect global concurrency limit that orders and shows who is active."""
        return f"environment-{self.name}"
