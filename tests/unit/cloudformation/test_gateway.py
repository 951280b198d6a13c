"""The gateway against botocore's own stub: what is asked of AWS, and what is made of its answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest.mock import ANY

import boto3
import pytest
from botocore.stub import Stubber

from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.templates import Template
from interlock.errors import (
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    HoldLostError,
    StackBusyError,
)
from interlock.models.environment import Environment
from interlock.models.stack import ChangeSet, Stack

ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1"
ARN = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/interlock-x/1"
TOKEN = "20260114-215432-375a1384"
START = datetime(2026, 1, 14, tzinfo=UTC)
ENVIRONMENT = Environment(
    name="staging", stack_name="app", region="eu-west-1", service_role_arn="arn:aws:iam::123456789012:role/cfn"
)
MADE = ChangeSet(
    arn=ARN, name="interlock-x", stack_id=ID, stack_name="app", status="CREATE_COMPLETE", execution_status="AVAILABLE"
)
STACK = {"StackName": "app", "StackId": ID, "StackStatus": "UPDATE_COMPLETE", "CreationTime": START}


@pytest.fixture
def aws() -> Iterator[Stubber]:
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def gateway(aws: Stubber) -> CloudFormation:
    return CloudFormation(cast(Any, aws.client), environment="staging", sleep=lambda _: None)


def event(number: int, status: str, *, logical_id: str = "app", token: str | None = TOKEN) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "EventId": str(number),
        "StackId": ID,
        "StackName": "app",
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": ID if logical_id == "app" else "",
        "ResourceType": "AWS::CloudFormation::Stack" if logical_id == "app" else "AWS::SNS::Topic",
        "ResourceStatus": status,
        "Timestamp": START + timedelta(seconds=number),
    }
    return answer | ({"ClientRequestToken": token} if token else {})


def newest_first(*events: dict[str, Any]) -> dict[str, Any]:
    return {"StackEvents": sorted(events, key=lambda each: -int(each["EventId"]))}


def an_operation() -> list[dict[str, Any]]:
    return [
        event(1, "UPDATE_IN_PROGRESS", token="earlier"),
        event(2, "UPDATE_COMPLETE", token="earlier"),
        event(3, "UPDATE_IN_PROGRESS"),
        event(4, "UPDATE_IN_PROGRESS", logical_id="Topic"),
        event(5, "UPDATE_COMPLETE", logical_id="Topic"),
        event(6, "UPDATE_COMPLETE"),
        event(7, "UPDATE_IN_PROGRESS", token="later"),
    ]


def nothing() -> None:
    """A guard that lets everything pass."""


# --- reading ---------------------------------------------------------------------------------------------------------


def test_absent_is_believed_at_the_second_look(aws: Stubber) -> None:
    aws.add_client_error("describe_stacks", "ValidationError", "Stack with id app does not exist")
    aws.add_response("describe_stacks", {"Stacks": [STACK]})
    found = gateway(aws).stack("app")
    assert found is not None
    assert found.state.is_success

    for _ in range(2):
        aws.add_client_error("describe_stacks", "ValidationError", "Stack with id app does not exist")
    assert gateway(aws).stack("app") is None


@pytest.mark.parametrize("answer", [{}, {"Stacks": []}])
def test_an_answer_cut_short_is_never_absent(aws: Stubber, answer: dict[str, Any]) -> None:
    aws.add_response("describe_stacks", answer)
    with pytest.raises(CloudFormationUnavailableError):
        gateway(aws).stack("app")


def test_an_answer_without_events_is_an_error_and_one_with_none_is_not(aws: Stubber) -> None:
    aws.add_response("describe_stack_events", {})
    with pytest.raises(CloudFormationUnavailableError):
        gateway(aws).events(ID)
    aws.add_response("describe_stack_events", {"StackEvents": []})
    assert gateway(aws).events(ID) == []


def test_new_events_are_read_oldest_first_and_no_page_more_than_needed(aws: Stubber) -> None:
    older, newer = an_operation()[:4], an_operation()[4:]
    aws.add_response("describe_stack_events", newest_first(*newer) | {"NextToken": "2"}, {"StackName": ID})
    aws.add_response("describe_stack_events", newest_first(*older), {"StackName": ID, "NextToken": "2"})
    assert [each.event_id for each in gateway(aws).events(ID, after="3")] == ["4", "5", "6", "7"]

    aws.add_response("describe_stack_events", newest_first(*newer) | {"NextToken": "2"})
    assert [each.event_id for each in gateway(aws).events(ID, after="5")] == ["6", "7"]


def test_a_continued_rollback_is_an_operation_of_its_own_however_far_back_one_may_look(aws: Stubber) -> None:
    events = [
        event(1, "UPDATE_IN_PROGRESS"),
        event(2, "UPDATE_ROLLBACK_IN_PROGRESS"),
        event(3, "UPDATE_ROLLBACK_FAILED"),
        event(4, "UPDATE_ROLLBACK_IN_PROGRESS", token="recovery"),
        event(5, "UPDATE_COMPLETE", logical_id="Topic", token="recovery"),
        event(6, "UPDATE_ROLLBACK_COMPLETE", token="recovery"),
        event(7, "UPDATE_IN_PROGRESS", token="later"),
    ]

    def of(token: str, **since: datetime) -> list[str]:
        aws.add_response("describe_stack_events", newest_first(*events))
        return [each.event_id for each in gateway(aws).events_of_operation(ID, token, **since)]

    assert of("recovery") == ["4", "5", "6"]
    assert of("recovery", not_before=START + timedelta(seconds=4)) == ["4", "5", "6"]
    assert of(TOKEN) == ["1", "2", "3"]
    events.pop(5)
    events.pop()
    assert of("recovery") == ["4", "5"]


def test_an_operation_is_its_events_from_its_first_line_to_its_last(aws: Stubber) -> None:
    aws.add_response("describe_stack_events", newest_first(*an_operation()))
    assert [each.event_id for each in gateway(aws).events_of_operation(ID, TOKEN)] == ["3", "4", "5", "6"]
    aws.add_response("describe_stack_events", newest_first(*an_operation()))
    assert gateway(aws).events_of_operation(ID, "unheard of") == []


def test_a_cancel_by_a_stranger_belongs_to_the_operation_that_it_ends(aws: Stubber) -> None:
    events = [
        *an_operation()[2:4],
        event(5, "UPDATE_ROLLBACK_IN_PROGRESS", token="Console-Cancel"),
        event(6, "UPDATE_ROLLBACK_COMPLETE", token="Console-Cancel"),
    ]
    aws.add_response("describe_stack_events", newest_first(*events))
    assert len(gateway(aws).events_of_operation(ID, TOKEN)) == 4


def test_looking_for_an_operation_ends_before_it_could_have_begun(aws: Stubber) -> None:
    aws.add_response("describe_stack_events", newest_first(*an_operation()[:2]) | {"NextToken": "never asked for"})
    assert gateway(aws).events_of_operation(ID, TOKEN, not_before=START + timedelta(seconds=2)) == []


@pytest.mark.parametrize(
    ("events", "token", "is_ended", "seconds"),
    [
        (an_operation(), "later", False, 7),
        (an_operation()[:-1], TOKEN, True, 3),
        (an_operation()[:4], TOKEN, False, 3),
        ([*an_operation()[:4], event(5, "UPDATE_ROLLBACK_IN_PROGRESS", token="cancel")], "cancel", False, 3),
        ([event(1, "REVIEW_IN_PROGRESS", token=None), event(2, "CREATE_IN_PROGRESS")], TOKEN, False, 2),
    ],
)
def test_the_latest_operation_is_known_by_its_token(
    aws: Stubber, events: list[dict[str, Any]], token: str, is_ended: bool, seconds: int
) -> None:
    aws.add_response("describe_stack_events", newest_first(*events))
    found = gateway(aws).latest_operation(Stack(name="app", stack_id=ID, status="UPDATE_IN_PROGRESS"))
    assert found is not None
    assert (found.token, found.is_ended, found.started_at) == (token, is_ended, START + timedelta(seconds=seconds))


def test_a_stack_only_reviewed_has_no_operation(aws: Stubber) -> None:
    aws.add_response("describe_stack_events", newest_first(event(1, "REVIEW_IN_PROGRESS", token=None)))
    assert gateway(aws).latest_operation(Stack(name="app", stack_id=ID, status="REVIEW_IN_PROGRESS")) is None


def test_all_pages_of_a_change_set_are_one(aws: Stubber) -> None:
    head = {"ChangeSetId": ARN, "StackId": ID, "Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE"}
    for number, more in ((1, {"NextToken": "2"}), (2, {})):
        change = {"Action": "Modify", "LogicalResourceId": f"R{number}", "Replacement": "True"}
        aws.add_response(
            "describe_change_set", head | more | {"Changes": [{"Type": "Resource", "ResourceChange": change}]}
        )
    found = gateway(aws).change_set(ARN)
    assert [change.logical_id for change in found.changes] == ["R1", "R2"]
    assert found.counts == {"Replace": 2}


# --- changing --------------------------------------------------------------------------------------------------------


def create(aws: Stubber, stack: Stack | None) -> str:
    return gateway(aws).create_change_set(
        ENVIRONMENT,
        name="interlock-x",
        template=Template(body="Resources: {}"),
        parameters={"Size": "1"},
        capabilities=["CAPABILITY_IAM"],
        tags={"team": "a"},
        stack=stack,
        token=TOKEN,
        description="why",
        guard=nothing,
    )


def asked(kind: str, tags: dict[str, str]) -> dict[str, Any]:
    return {
        "StackName": "app",
        "ChangeSetName": "interlock-x",
        "ChangeSetType": kind,
        "TemplateBody": "Resources: {}",
        "Parameters": [{"ParameterKey": "Size", "ParameterValue": "1"}],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        "ClientToken": TOKEN,
        "Description": "why",
        "RoleARN": "arn:aws:iam::123456789012:role/cfn",
    }


def test_a_new_stack_is_tagged_with_the_correlation_id(aws: Stubber) -> None:
    for stack in (None, Stack(name="app", stack_id=ID, status="REVIEW_IN_PROGRESS")):
        expected = asked("CREATE", {"team": "a", "interlock:correlation-id": TOKEN})
        aws.add_response("create_change_set", {"Id": ARN}, expected)
        assert create(aws, stack) == ARN


def test_an_update_keeps_the_tag_so_that_nothing_to_change_stays_nothing(aws: Stubber) -> None:
    existing = Stack(name="app", stack_id=ID, status="UPDATE_COMPLETE", tags={"interlock:correlation-id": "the first"})
    aws.add_response(
        "create_change_set", {"Id": ARN}, asked("UPDATE", {"team": "a", "interlock:correlation-id": "the first"})
    )
    create(aws, existing)
    aws.add_response("create_change_set", {"Id": ARN}, asked("UPDATE", {"team": "a"}))
    create(aws, existing.model_copy(update={"tags": {}}))


def test_a_change_set_made_by_an_attempt_whose_answer_was_lost_is_found(aws: Stubber) -> None:
    aws.add_client_error("create_change_set", "InternalFailure", http_status_code=500)
    aws.add_client_error("create_change_set", "AlreadyExistsException", "ChangeSet [interlock-x] already exists")
    aws.add_response(
        "describe_change_set",
        {"ChangeSetId": ARN, "StackId": ID, "Status": "CREATE_PENDING"},
        {"StackName": "app", "ChangeSetName": "interlock-x"},
    )
    assert create(aws, None) == ARN


def test_an_execution_whose_answer_was_lost_is_recognised_by_its_token(aws: Stubber) -> None:
    aws.add_client_error("execute_change_set", "InternalFailure", http_status_code=500)
    aws.add_client_error("execute_change_set", "InvalidChangeSetStatus", "cannot be executed in its current status")
    aws.add_response("describe_stack_events", {"StackEvents": []})  # events are eventually consistent
    aws.add_response("describe_stack_events", newest_first(event(1, "CREATE_IN_PROGRESS")))
    gateway(aws).execute_change_set(MADE, token=TOKEN, guard=nothing)


def test_an_execution_that_a_stranger_was_quicker_than_is_busy(aws: Stubber) -> None:
    aws.add_client_error(
        "execute_change_set", "ValidationError", f"Stack:{ID} is in UPDATE_IN_PROGRESS state and can not be updated."
    )
    for _ in range(4):
        aws.add_response("describe_stack_events", newest_first(event(1, "UPDATE_IN_PROGRESS", token="Console")))
    with pytest.raises(StackBusyError):
        gateway(aws).execute_change_set(MADE, token=TOKEN, guard=nothing)


def test_the_guard_is_asked_right_before_each_attempt(aws: Stubber) -> None:
    asked_times = 0

    def guard() -> None:
        nonlocal asked_times
        asked_times += 1
        if asked_times == 2:
            raise HoldLostError("overtaken")

    aws.add_client_error("execute_change_set", "InternalFailure", http_status_code=500)
    with pytest.raises(HoldLostError):
        gateway(aws).execute_change_set(MADE, token=TOKEN, guard=guard)
    assert asked_times == 2


def test_an_unreachable_aws_ends_the_attempts_without_an_outcome(aws: Stubber) -> None:
    for _ in range(3):
        aws.add_client_error("delete_stack", "ServiceUnavailable", http_status_code=503)
    with pytest.raises(CloudFormationUnavailableError):
        gateway(aws).delete_stack(ID, token=f"{TOKEN}-recreate", guard=nothing)


def test_removing_a_change_set_that_is_gone_is_no_error(aws: Stubber) -> None:
    aws.add_client_error("delete_change_set", "ChangeSetNotFound", "ChangeSet [x] does not exist")
    gateway(aws).delete_change_set(ARN, guard=nothing)


def test_a_cancel_is_done_when_the_stack_rolls_back(aws: Stubber) -> None:
    refusal = ("cancel_update_stack", "ValidationError", "CancelUpdateStack cannot be called from current stack status")
    aws.add_client_error(*refusal)
    aws.add_response("describe_stacks", {"Stacks": [STACK | {"StackStatus": "UPDATE_ROLLBACK_IN_PROGRESS"}]})
    gateway(aws).cancel_update(ID, token=f"{TOKEN}-cancel", guard=nothing)

    aws.add_client_error(*refusal)
    aws.add_response("describe_stacks", {"Stacks": [STACK]})
    with pytest.raises(CloudFormationRefusedError):
        gateway(aws).cancel_update(ID, token=f"{TOKEN}-cancel", guard=nothing)


def test_a_rollback_is_continued_without_what_is_to_be_skipped(aws: Stubber) -> None:
    expected = {"StackName": ID, "ClientRequestToken": ANY, "ResourcesToSkip": ["Bad"]}
    aws.add_response("continue_update_rollback", {}, expected)
    gateway(aws).continue_update_rollback(ID, token=f"{TOKEN}-continue", guard=nothing, resources_to_skip=["Bad"])


def test_the_template_as_submitted_is_text(aws: Stubber) -> None:
    aws.add_response("get_template", {"TemplateBody": "Resources: {}"}, {"StackName": ID, "TemplateStage": "Original"})
    assert gateway(aws).get_template(Stack(name="app", stack_id=ID, status="CREATE_COMPLETE")) == "Resources: {}"
