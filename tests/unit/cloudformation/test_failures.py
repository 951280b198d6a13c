"""The first cause of each recorded failure, judged by reading the log."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from interlock.cloudformation.failures import first_cause, first_cause_within
from interlock.errors import CloudFormationUnavailableError
from interlock.models.stack import StackEvent
from tests.unit import recorded

STACK_ID = "arn:aws:cloudformation:eu-west-1:1:stack/app/1"
NESTED_ID = "arn:aws:cloudformation:eu-west-1:1:stack/app-db/2"
START = datetime(2026, 1, 14, tzinfo=UTC)


def line(number: int, logical_id: str, status: str, reason: str = "", **more: str) -> StackEvent:
    stack_id = more.get("stack_id", STACK_ID)
    is_own = logical_id == stack_id.split("/")[1]
    return StackEvent(
        event_id=f"{stack_id}{number}",
        timestamp=START + timedelta(seconds=number),
        stack_id=stack_id,
        stack_name=stack_id.split("/")[1],
        logical_id=logical_id,
        physical_id=more.get("physical_id", stack_id if is_own else None),
        resource_type=more.get("resource_type", "AWS::CloudFormation::Stack" if is_own else "AWS::SNS::Topic"),
        status=status,
        reason=reason or None,
    )


@recorded.needs_recordings
@pytest.mark.parametrize(
    ("log", "logical_id", "words", "hint"),
    [
        ("Ec2-dev-env-setup", "DevEnvStack", "Attribute 'PublicIp' does not exist", "Fn::GetAtt"),
        ("Trading-insights-app", "EC2Role", "must be in ARN format", "refused a property"),
        ("failed_auth", "amplifyAuthUserPool4BA7F805", "Email address is not verified", "refused a property"),
        ("20251222T2210", "FileTrackingTable", "already exists", "that name"),
        ("20251222T2241", "InputBucket", "destination configurations", "refused a property"),
        ("20251223T0349", "FileTrackingTable", "already exists", "that name"),
        ("20251223T0421", "ManifestBucket", "already exists", "that name"),
        ("cdk-0b757a41", "FrontendDistributionOrigin1S3OriginAccessControl96CDF506", "already exists", "that name"),
        ("cdk-3a6727f2", "FrontendDistributionOrigin1S3OriginAccessControl96CDF506", "already exists", "that name"),
    ],
)
def test_the_first_cause_of_a_recorded_failure_is_found(log: str, logical_id: str, words: str, hint: str) -> None:
    failure = first_cause(recorded.events(log))
    assert failure is not None
    assert failure.logical_id == logical_id
    assert words in failure.reason
    assert failure.hint is not None
    assert hint in failure.hint


@recorded.needs_recordings
@pytest.mark.parametrize("log", ["new_deployment", "20251204T0822", "add_function_storage", "MaatriSahayak"])
def test_a_log_without_a_failure_has_no_cause(log: str) -> None:
    assert first_cause(recorded.events(log)) is None


def test_a_cancellation_is_never_the_cause_even_when_it_is_read_first() -> None:
    failure = first_cause(
        [
            line(1, "Other", "CREATE_FAILED", "Resource creation cancelled"),
            line(1, "Role", "CREATE_FAILED", "AccessDenied: not authorized to perform iam:CreateRole"),
            line(2, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Other, Role]."),
            line(3, "Role", "DELETE_FAILED", "in use"),
        ]
    )
    assert failure is not None
    assert (failure.logical_id, failure.status) == ("Role", "CREATE_FAILED")
    assert failure.hint is not None
    assert "permission" in failure.hint


def test_what_the_stack_itself_says_comes_before_a_failure_of_the_rollback() -> None:
    failure = first_cause(
        [
            line(1, "app", "ROLLBACK_IN_PROGRESS", "Attribute 'X' does not exist. Rollback requested by user."),
            line(2, "Bucket", "DELETE_FAILED", "The bucket is not empty"),
        ]
    )
    assert failure is not None
    assert failure.logical_id == "app"


def test_a_summary_by_the_stack_is_the_last_resort_of_an_incomplete_log() -> None:
    failure = first_cause([line(1, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [A].")])
    assert failure is not None
    assert failure.reason.endswith("[A].")


def test_the_cause_within_a_nested_stack_is_looked_for_there() -> None:
    nested = "AWS::CloudFormation::Stack"
    events = [
        line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(5, "Db", "UPDATE_FAILED", "Embedded stack was not updated", physical_id=NESTED_ID, resource_type=nested),
    ]
    inside = [
        line(-9, "Old", "UPDATE_FAILED", "of an earlier operation", stack_id=NESTED_ID),
        line(3, "Table", "UPDATE_FAILED", "LimitExceeded", stack_id=NESTED_ID),
    ]
    gateway = Mock()
    gateway.events.return_value = inside
    failure = first_cause_within(gateway, events)
    assert failure is not None
    assert (failure.stack_name, failure.logical_id) == ("app-db", "Table")

    gateway.events.side_effect = CloudFormationUnavailableError("Rate exceeded")
    failure = first_cause_within(gateway, events)
    assert failure is not None
    assert failure.logical_id == "Db"
