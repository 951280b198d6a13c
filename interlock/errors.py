"""Every error that Interlock raises on purpose.

Each says what happened, to which environment and correlation id, and what to do next; the docstring is the rule, the
message is the case. `exit_code` is what a command line ends with (section "Exit codes" of the operations guide).
"""

from collections.abc import Callable, Sequence
from enum import IntEnum


class ExitCode(IntEnum):
    """How an `interlock` command ends. CI pipelines branch on these: never renumber."""

    SUCCEEDED = 0
    FAILED = 1
    ALREADY_IN_PROGRESS = 2
    WAITED_TOO_LONG = 3
    SUPERSEDED_OR_CANCELLED = 4
    INVALID_REQUEST = 5
    STILL_RUNNING = 6
    NO_PREFECT = 7


class InterlockError(Exception):
    """The root of them all: a message for a person, the deployment it concerns, and the next step."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(
        self,
        message: str,
        *,
        environment: str | None = None,
        correlation_id: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.environment = environment
        self.correlation_id = correlation_id
        self.next_step = next_step

    def retell(self, redact: Callable[[str], str]) -> None:
        """Take secrets out of what it says. If there were any, its cause (which a traceback would show) goes too."""
        before = str(self)
        self.message = redact(self.message)
        self.next_step = redact(self.next_step) if self.next_step else None
        self.args = (self.message,)
        if str(self) != before:
            self.__cause__, self.__suppress_context__ = None, True

    def __str__(self) -> str:
        about = ", ".join(part for part in (self.environment, self.correlation_id) if part)
        return " ".join(part for part in (self.message, f"[{about}]" if about else "", self.next_step) if part)


class TemporaryError(InterlockError):
    """May go away by itself: retried by policy, and never the reason for an outcome (promise 10)."""


class PermanentError(InterlockError):
    """Will be the same next time: not retried."""


# --- what a person asked for -------------------------------------------------------------------------------------------


class SettingsError(PermanentError):
    """A setting or the environments file is wrong. Lists every problem at once."""

    exit_code = ExitCode.INVALID_REQUEST


class UnknownEnvironmentError(SettingsError):
    """The environments file has no environment of this name."""


class InvalidRequestError(PermanentError):
    """The request cannot be carried out as it stands. `problems` holds all of them, each with its path."""

    exit_code = ExitCode.INVALID_REQUEST

    def __init__(
        self, problems: Sequence[str], *, environment: str | None = None, correlation_id: str | None = None
    ) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        listing = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(
            f"Invalid request: {count} problem{'s' if count != 1 else ''}.\n{listing}\n",
            environment=environment,
            correlation_id=correlation_id,
            next_step="Nothing was changed. Correct the request and ask again.",
        )

    def retell(self, redact: Callable[[str], str]) -> None:
        super().retell(redact)
        self.problems = [redact(problem) for problem in self.problems]


class TemplateChangedError(PermanentError):
    """What lies at the template's address is no longer what was validated: not deployed."""


class NothingToRecoverError(PermanentError):
    """The stack is in no status that its failed rollback could be continued from."""

    exit_code = ExitCode.INVALID_REQUEST


# --- waiting -----------------------------------------------------------------------------------------------------------


class DeploymentInProgressError(PermanentError):
    """Another deployment is active and the environment's queue policy is `reject`."""

    exit_code = ExitCode.ALREADY_IN_PROGRESS


class WaitTimeoutError(PermanentError):
    """The wait for the turn reached the environment's `max_wait_minutes` (promise 7)."""

    exit_code = ExitCode.WAITED_TOO_LONG


class LockedTooLongError(WaitTimeoutError):
    """The same, with the environment still locked."""


class EnvironmentBusyError(PermanentError):
    """Somebody has the environment, or an operation runs on its stack: a recovery waits for nobody."""

    exit_code = ExitCode.ALREADY_IN_PROGRESS


class EnvironmentLockedError(PermanentError):
    """The environment is locked and its queue policy is `reject`."""

    exit_code = ExitCode.ALREADY_IN_PROGRESS


class LockedBySomebodyElseError(PermanentError):
    """Another person's lock is on: it is not replaced."""


class SupersededError(PermanentError):
    """A newer request of an environment with the policy `latest` took this one's place in the queue."""

    exit_code = ExitCode.SUPERSEDED_OR_CANCELLED


class CancelledError(PermanentError):
    """A person cancelled the deployment."""

    exit_code = ExitCode.SUPERSEDED_OR_CANCELLED


class DeniedError(PermanentError):
    """A person denied the deployment's changes."""

    exit_code = ExitCode.SUPERSEDED_OR_CANCELLED


class ApprovalExpiredError(PermanentError):
    """Nobody approved or denied the changes within the environment's `approval_expires_minutes`."""

    exit_code = ExitCode.SUPERSEDED_OR_CANCELLED


class ApprovalUnavailableError(PermanentError):
    """An approval is required and cannot be kept: the registry does not answer. Nothing is deployed on trust."""


# --- the registry ------------------------------------------------------------------------------------------------------


class RegistryUnavailableError(TemporaryError):
    """The registry does not answer. Deployments go on with the slot and the stack's status alone."""


class CorrelationIdTakenError(PermanentError):
    """Another deployment has this correlation id: make a new one (promise 2)."""


class DeploymentNotFoundError(PermanentError):
    """The registry has no deployment of this correlation id."""

    exit_code = ExitCode.INVALID_REQUEST


class AlreadyFinishedError(PermanentError):
    """The deployment has a final status, and a final status never changes."""


class NotYourTurnError(TemporaryError):
    """The hold cannot be claimed now: somebody else has it, or is ahead in the queue."""


class HoldLostError(PermanentError):
    """The hold is no longer ours: its fence has been overtaken. Touch the stack no more."""


class TicketLostError(PermanentError):
    """The ticket expired or was removed: its place in the queue is gone."""


# --- CloudFormation ----------------------------------------------------------------------------------------------------


class CloudFormationUnavailableError(TemporaryError):
    """Throttled, unreachable, cut short: says nothing about the stack."""


class CloudFormationRefusedError(PermanentError):
    """CloudFormation understood the call and refused it. `code` is AWS's own."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        environment: str | None = None,
        correlation_id: str | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message, environment=environment, correlation_id=correlation_id, next_step=next_step)
        self.code = code


class AwsCredentialsError(PermanentError):
    """No credentials, or none that are valid."""


class SecretNotReadableError(PermanentError):
    """A secret that a parameter refers to exists, perhaps, but we may not read it or cannot use it."""


class StackBusyError(TemporaryError):
    """An operation runs on the stack, ours or a stranger's: wait for it."""


class StackNeedsRecoveryError(PermanentError):
    """The stack is in a status from which no deployment can start (`UPDATE_ROLLBACK_FAILED` and its like)."""


class CommandNotStartedError(PermanentError):
    """The environment's command could not be started: nothing was changed."""


# --- Prefect and Slack, seen from outside ------------------------------------------------------------------------------


class PrefectUnreachableError(TemporaryError):
    """Prefect's API does not answer at PREFECT_API_URL."""

    exit_code = ExitCode.NO_PREFECT


class SlackUnavailableError(TemporaryError):
    """Slack does not answer, or asks us to wait: `retry_after_seconds` when it says how long."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SlackRefusedError(PermanentError):
    """Slack will never take this message (unknown channel, invalid token): parked, reported once."""


# --- commands that run something ---------------------------------------------------------------------------------------


class StartupError(PermanentError):
    """A process that the command needs could not be started (port in use, directory not writable...)."""
