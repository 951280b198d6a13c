"""DynamoDB's errors as ours. What is not understood is taken for unavailable: it may go away, and decides nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError, PartialCredentialsError
from botocore.parsers import ResponseParserError

from interlock.errors import (
    AwsCredentialsError,
    InterlockError,
    PermanentError,
    RegistryUnavailableError,
    SettingsError,
)
from interlock.registry.store import ConflictError

_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, NoRegionError)
_NOT_ALLOWED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_RACES = {"ConditionalCheckFailed", "TransactionConflict"}


@contextmanager
def translated_errors(table: str) -> Iterator[None]:
    """Raises ConflictError, RegistryUnavailableError, SettingsError, AwsCredentialsError or PermanentError instead."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error, table) from error
    except _NO_CREDENTIALS as error:
        raise _not_allowed(error, table) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise _unavailable(error, table) from error


def _of_answer(error: ClientError, table: str) -> InterlockError:
    code = error.response.get("Error", {}).get("Code", "")
    if code == "TransactionCanceledException" and _lost_a_race(error.response):
        return ConflictError("Somebody wrote in between.")
    if code == "ResourceNotFoundException":
        return SettingsError(f"There is no DynamoDB table {table}.", next_step="Make it with `interlock setup`.")
    if code in _NOT_ALLOWED:
        return _not_allowed(error, table)
    if code == "ValidationException":
        return PermanentError(f"DynamoDB refused a call to the table {table}: {error}.")
    return _unavailable(error, table)


def _lost_a_race(response: Any) -> bool:
    return any(reason.get("Code") in _RACES for reason in response.get("CancellationReasons", ()))


def _not_allowed(error: Exception, table: str) -> AwsCredentialsError:
    return AwsCredentialsError(
        f"AWS does not let this process use the DynamoDB table {table}: {error}.",
        next_step="Check its AWS credentials and the role's policy.",
    )


def _unavailable(error: Exception, table: str) -> RegistryUnavailableError:
    return RegistryUnavailableError(
        f"The registry (DynamoDB table {table}) does not answer: {error}.",
        next_step="Check AWS's health and the network; running deployments go on without it.",
    )
