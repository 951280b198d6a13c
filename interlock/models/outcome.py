"""How a deployment ended: one value for success, failure and everything between, instead of exceptions."""

from collections.abc import Callable
from typing import Self

from pydantic import Field

from interlock.errors import (
    ApprovalExpiredError,
    CancelledError,
    DeniedError,
    DeploymentInProgressError,
    EnvironmentLockedError,
    ExitCode,
    InterlockError,
    InvalidRequestError,
    LockedTooLongError,
    SupersededError,
    WaitTimeoutError,
)
from interlock.models.base import Value
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.finding import Finding
from interlock.models.stack import Failure

_STATUS_OF_ERROR: tuple[tuple[type[InterlockError], DeploymentStatus], ...] = (
    (DeploymentInProgressError, DeploymentStatus.REJECTED),
    (EnvironmentLockedError, DeploymentStatus.REJECTED),
    (WaitTimeoutError, DeploymentStatus.TIMED_OUT),
    (SupersededError, DeploymentStatus.SUPERSEDED),
    (CancelledError, DeploymentStatus.CANCELLED),
    (DeniedError, DeploymentStatus.DENIED),
    (ApprovalExpiredError, DeploymentStatus.EXPIRED),
)

_EXIT_CODE = {
    DeploymentStatus.SUCCEEDED: ExitCode.SUCCEEDED,
    DeploymentStatus.FAILED: ExitCode.FAILED,
    DeploymentStatus.ROLLED_BACK: ExitCode.FAILED,
    DeploymentStatus.CANCELLED: ExitCode.SUPERSEDED_OR_CANCELLED,
    DeploymentStatus.SUPERSEDED: ExitCode.SUPERSEDED_OR_CANCELLED,
    DeploymentStatus.DENIED: ExitCode.SUPERSEDED_OR_CANCELLED,
    DeploymentStatus.EXPIRED: ExitCode.SUPERSEDED_OR_CANCELLED,
    DeploymentStatus.TIMED_OUT: ExitCode.WAITED_TOO_LONG,
    DeploymentStatus.REJECTED: ExitCode.ALREADY_IN_PROGRESS,
}


class Outcome(Value):
    """A final status with its why."""

    status: DeploymentStatus
    reason: str | None = None
    stack_status: str | None = None
    no_changes: bool = False
    outputs: dict[str, str] = Field(default_factory=dict)
    application_url: str | None = None
    first_cause: Failure | None = None
    also_failed: tuple[Failure, ...] = ()
    """What failed beside the first cause, independently of it."""
    rollback_failures: tuple[Failure, ...] = ()
    """Why the rollback did not succeed either."""
    next_step: str | None = None
    """What a person must do before anything can be deployed again."""
    findings: tuple[Finding, ...] = ()
    """What the resources' own services say about it."""
    problems: tuple[str, ...] = ()
    locked: bool = False
    """A lock kept it out; `reason` names it."""

    def redacted(self, redact: Callable[[str], str]) -> Self:
        """The same without secrets in what it tells. Its status stays: others compare it."""
        cause = self.first_cause
        told = {
            "reason": self.reason and redact(self.reason),
            "outputs": {name: redact(value) for name, value in self.outputs.items()},
            "application_url": self.application_url and redact(self.application_url),
            "first_cause": cause and cause.model_copy(update={"reason": redact(cause.reason)}),
            "problems": tuple(map(redact, self.problems)),
        }
        return self.model_copy(update=told)

    @property
    def exit_code(self) -> ExitCode:
        return ExitCode.INVALID_REQUEST if self.problems else _EXIT_CODE[self.status]

    @property
    def title(self) -> str:
        """In words, as the Prefect UI shows it."""
        if self.problems:
            return "Invalid"
        return "No Changes" if self.no_changes else self.status.replace("_", " ").title()


def outcome_on_record(deployment: Deployment) -> Outcome:
    """The ending that a finished deployment's record tells of."""
    return Outcome(
        status=deployment.status,
        reason=deployment.reason,
        stack_status=deployment.stack_status,
        no_changes=deployment.no_changes,
        outputs=deployment.outputs,
        application_url=deployment.application_url,
    )


def outcome_of_error(error: InterlockError) -> Outcome:
    """The ending that an expected error means for its deployment."""
    status = next((status for kind, status in _STATUS_OF_ERROR if isinstance(error, kind)), DeploymentStatus.FAILED)
    problems: tuple[str, ...] = ()
    if isinstance(error, InvalidRequestError):
        problems = tuple(error.problems)
    elif error.exit_code == ExitCode.INVALID_REQUEST:
        problems = (error.message,)
    locked = isinstance(error, EnvironmentLockedError | LockedTooLongError)
    return Outcome(status=status, reason=str(error), problems=problems, locked=locked)
