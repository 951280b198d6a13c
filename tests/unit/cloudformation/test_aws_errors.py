"""Temporary and permanent, told apart once."""

import json

import botocore.exceptions
import botocore.parsers
import pytest
from botocore.exceptions import ClientError

from interlock.cloudformation.aws_errors import translated
from interlock.errors import (
    AwsCredentialsError,
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    InterlockError,
    StackBusyError,
    StackNeedsRecoveryError,
)
from tests.unit import recorded

BUSY = "Stack:arn:aws:cloudformation:eu-central-1:1:stack/s/1 is in {} state and can not be updated."


def refusal(code: str, message: str, operation: str = "CreateChangeSet", status: int = 400) -> ClientError:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, operation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (refusal("Throttling", "Rate exceeded"), CloudFormationUnavailableError),
        (refusal("ThrottlingException", "Rate exceeded"), CloudFormationUnavailableError),
        (refusal("RequestLimitExceeded", "slow down"), CloudFormationUnavailableError),
        (refusal("InternalFailure", "?", status=500), CloudFormationUnavailableError),
        (refusal("Unknown", "<html>bad gateway</html>", status=502), CloudFormationUnavailableError),
        (refusal("ServiceUnavailable", "?", status=503), CloudFormationUnavailableError),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"), CloudFormationUnavailableError),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"), CloudFormationUnavailableError),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="http://x"), CloudFormationUnavailableError),
        (botocore.parsers.ResponseParserError("not XML"), CloudFormationUnavailableError),
        (botocore.exceptions.NoCredentialsError(), AwsCredentialsError),
        (refusal("ExpiredToken", "expired"), AwsCredentialsError),
        (refusal("InvalidClientTokenId", "invalid"), AwsCredentialsError),
        (refusal("SignatureDoesNotMatch", "no"), AwsCredentialsError),
        (refusal("AccessDenied", "not authorized to perform sts:AssumeRole", "AssumeRole"), AwsCredentialsError),
        (refusal("AccessDenied", "not authorized"), CloudFormationRefusedError),
        (refusal("ValidationError", BUSY.format("UPDATE_IN_PROGRESS")), StackBusyError),
        (refusal("ValidationError", BUSY.format("UPDATE_ROLLBACK_IN_PROGRESS")), StackBusyError),
        (refusal("ValidationError", BUSY.format("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")), StackBusyError),
        (refusal("ValidationError", BUSY.format("UPDATE_ROLLBACK_FAILED")), StackNeedsRecoveryError),
        (refusal("ValidationError", BUSY.format("ROLLBACK_COMPLETE")), StackNeedsRecoveryError),
        (refusal("ValidationError", "Template format error"), CloudFormationRefusedError),
        (refusal("InsufficientCapabilitiesException", "Requires capabilities"), CloudFormationRefusedError),
        (botocore.exceptions.ParamValidationError(report="too long"), CloudFormationRefusedError),
    ],
)
def test_each_error_of_aws_is_one_of_ours(error: Exception, expected: type[InterlockError]) -> None:
    with pytest.raises(InterlockError) as caught, translated("staging"):
        raise error
    assert type(caught.value) is expected
    assert caught.value.environment == "staging"
    assert caught.value.__cause__ is error


def test_who_lacks_a_permission_is_told_which() -> None:
    with pytest.raises(CloudFormationRefusedError, match="cloudformation:CreateChangeSet"), translated("staging"):
        raise refusal("AccessDeniedException", "User is not authorized")


def test_a_mistake_of_our_own_is_not_taken_for_aws() -> None:
    with pytest.raises(KeyError), translated("staging"):
        raise KeyError("ours")


@recorded.needs_recordings
def test_every_recorded_refusal_is_understood() -> None:
    errors = json.loads((recorded.DATA / "api" / "error-catalogue.json").read_text())["errors"]
    for error in (each for each in errors if each["code"]):
        with pytest.raises(InterlockError) as caught, translated():
            raise refusal(error["code"], error["message"])
        is_temporary = isinstance(caught.value, CloudFormationUnavailableError | StackBusyError)
        assert is_temporary == (error["code"] == "Throttling" or "_IN_PROGRESS state" in error["message"])
