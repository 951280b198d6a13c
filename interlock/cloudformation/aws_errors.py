"""AWS's errors told apart, once: may it go away by itself, who must act, and what to do.

The danger is in the middle: an answer that was cut short, or a timeout, says nothing about the stack. Anything that is
not plainly a refusal is therefore temporary, and no temporary error ever decides an outcome (promise 10).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from interlock.errors import (
    AwsCredentialsError,
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    InterlockError,
    StackBusyError,
    StackNeedsRecoveryError,
)
from interlock.models.stack_status import StackStatus

NO_SUCH_CHANGE_SET = "ChangeSetNotFound"
ALREADY_EXISTS = "AlreadyExistsException"

_IN_STATE = re.compile(r"is in ([A-Z_]+) state and can ?not be")
_THROTTLING = re.compile(
    r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|BandwidthLimit|PriorRequestNotComplete"
)
_TEMPORARY = frozenset(
    {"InternalFailure", "InternalError", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException"}
)
_CREDENTIALS = re.compile(
    r"ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|InvalidAccessKeyId|AuthFailure"
    r"|MissingAuthenticationToken|IncompleteSignature|OptInRequired|RequestExpired"
)
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|NotAuthorized")
_SERVER_FAULT = 500
_HINTS = {
    "InsufficientCapabilitiesException": "Name the capabilities in the request or in the environments file.",
    "TokenAlreadyExistsException": "The operation was started before: look at the stack's events.",
    "LimitExceededException": "Raise the quota of the account or remove what is no longer used.",
    "StackSetNotFoundException": "Check the stack's name and region.",
}
_SIGN_IN = "Renew the AWS credentials of the worker (profile, role or environment variables), then deploy again."


@contextmanager
def translated(environment: str | None = None) -> Iterator[None]:
    """Raise AWS's errors as Interlock's. Used around every call that leaves the process."""
    import botocore.exceptions as aws  # noqa: PLC0415 (heavy; only those who call AWS pay for it)
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 (as above)

    try:
        yield
    except aws.ClientError as error:
        raise _from_answer(error, environment) from error
    except (aws.HTTPClientError, aws.ConnectionError, aws.IncompleteReadError, ResponseParserError) as error:
        raise unavailable(f"AWS cannot be reached or its answer was cut short: {error}", environment) from error
    except (
        aws.NoCredentialsError,
        aws.PartialCredentialsError,
        aws.CredentialRetrievalError,
        aws.ProfileNotFound,
        aws.TokenRetrievalError,
        aws.SSOError,
        aws.MetadataRetrievalError,
    ) as error:
        raise AwsCredentialsError(
            f"No AWS credentials: {error}", environment=environment, next_step=_SIGN_IN
        ) from error
    except aws.BotoCoreError as error:
        raise CloudFormationRefusedError(
            str(error),
            code=type(error).__name__,
            environment=environment,
            next_step="Check the environment's AWS settings.",
        ) from error


def is_denial(code: str) -> bool:
    return _DENIED.search(code) is not None


def says_absent(refusal: CloudFormationRefusedError) -> bool:
    """CloudFormation has no code for "no such stack", only this text."""
    return refusal.code == "ValidationError" and "does not exist" in refusal.message


def unavailable(message: str, environment: str | None) -> CloudFormationUnavailableError:
    return CloudFormationUnavailableError(message, environment=environment, next_step="It will be tried again.")


def _from_answer(error: Exception, environment: str | None) -> InterlockError:
    answer = getattr(error, "response", {})
    code = answer.get("Error", {}).get("Code") or "Unknown"
    text = answer.get("Error", {}).get("Message") or str(error)
    http_status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    operation = getattr(error, "operation_name", "")
    if http_status >= _SERVER_FAULT or code in _TEMPORARY or _THROTTLING.search(code):
        return unavailable(f"{operation}: {code}: {text}", environment)
    if _CREDENTIALS.search(code):
        return AwsCredentialsError(f"{operation}: {code}: {text}", environment=environment, next_step=_SIGN_IN)
    if is_denial(code):
        return _denied(operation, code, text, environment)
    return _refused(operation, code, text, environment)


def _denied(operation: str, code: str, text: str, environment: str | None) -> InterlockError:
    if operation == "AssumeRole":
        next_step = "Let the worker's identity assume the environment's `role_arn` (the role's trust policy)."
        return AwsCredentialsError(text, environment=environment, next_step=next_step)
    next_step = f"Allow `cloudformation:{operation}` to the role that Interlock calls AWS with."
    return CloudFormationRefusedError(text, code=code, environment=environment, next_step=next_step)


def _refused(operation: str, code: str, text: str, environment: str | None) -> InterlockError:
    state = StackStatus(found[1]) if (found := _IN_STATE.search(text)) else None
    if state is not None and state.is_in_progress:
        return StackBusyError(text, environment=environment, next_step="Wait for the operation that runs.")
    if state is not None and (state.needs_recovery or state.is_never_created):
        return StackNeedsRecoveryError(text, environment=environment, next_step=recovery_of(state, environment))
    return CloudFormationRefusedError(
        f"{operation}: {text}", code=code, environment=environment, next_step=_HINTS.get(code)
    )


def recovery_of(state: StackStatus, environment: str | None) -> str:
    """What a person does about a stack from which no deployment can start."""
    if state.is_never_created:
        return "The stack was never created: delete it (Interlock does so with the next deployment), then deploy again."
    if state.is_failed_update_rollback:
        recover = f"`interlock recover {environment or 'ENV'}`"
        return f"{recover} shows what blocks the rollback, and continues it when that is repaired; then deploy again."
    return "See the stack's events for the resource that blocks it, repair that by hand, then deploy again."
