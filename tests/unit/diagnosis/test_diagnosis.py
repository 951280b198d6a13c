"""A diagnosis helps or says why it cannot; it never raises, never takes long, and shows nothing unclean."""

import subprocess
import sys
import threading
import time
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ConnectTimeoutError

from interlock.diagnosis.diagnosis import Diagnosis
from tests.unit.diagnosis.kit import STACK_ID, FakeAws, suspect

DATABASE = suspect("AWS::RDS::DBInstance", "db-1", logical_id="Db")


def database_says(text: str) -> FakeAws:
    aws = FakeAws()
    aws.stub("rds").add_response("describe_db_instances", {"DBInstances": [{"DBInstanceStatus": text}]})
    aws.stub("rds").add_response("describe_events", {"Events": [{"Message": "Backing up DB instance"}]})
    return aws


def test_a_type_that_nothing_is_known_of_is_not_asked_about() -> None:
    client_of = Mock()
    assert Diagnosis(client_of).of([suspect("AWS::SNS::Topic", "t")]) == ()
    client_of.assert_not_called()


def test_a_database_is_told_by_its_status_and_events() -> None:
    assert database_says("backing-up").lines(DATABASE) == ["RDS: db-1 is backing-up.", "RDS: Backing up DB instance"]


def test_texts_are_bounded_and_without_control_characters() -> None:
    line = database_says("\x1b[2Jbad\r\nline " + "x" * 5_000).lines(DATABASE)[0]
    assert line.startswith("RDS: db-1 is [2Jbad line xxx")
    assert len(line) == 300


def test_an_auto_scaling_group_is_told_by_its_last_activities() -> None:
    aws = FakeAws()
    activity = {"StatusCode": "Failed", "StatusMessage": "You have exceeded your vCPU limit", "ActivityId": "1"}
    needed = {"AutoScalingGroupName": "group", "Cause": "?", "StartTime": 0}
    aws.stub("autoscaling").add_response("describe_scaling_activities", {"Activities": [activity | needed]})
    who = suspect("AWS::AutoScaling::AutoScalingGroup", "group")
    assert aws.lines(who) == ["Auto Scaling: Failed: You have exceeded your vCPU limit"]


def test_a_nested_stack_is_followed_to_what_is_unfinished_in_it() -> None:
    aws = database_says("creating")
    row = {"ResourceType": "AWS::RDS::DBInstance", "Timestamp": 0}
    rows = [
        row | {"LogicalResourceId": "Old", "PhysicalResourceId": "db-0", "ResourceStatus": "CREATE_COMPLETE"},
        row | {"LogicalResourceId": "Db", "PhysicalResourceId": "db-1", "ResourceStatus": "CREATE_IN_PROGRESS"},
    ]
    aws.stub("cloudformation").add_response(
        "describe_stack_resources", {"StackResources": rows}, {"StackName": f"{STACK_ID}/nested"}
    )
    assert aws.lines(suspect("AWS::CloudFormation::Stack", f"{STACK_ID}/nested", logical_id="Data"))[:2] == [
        "In the nested stack Data: Db (AWS::RDS::DBInstance) is CREATE_IN_PROGRESS.",
        "RDS: db-1 is creating.",
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectTimeoutError(endpoint_url="https://rds"), "rds could not be read: ConnectTimeoutError."),
        (KeyError("Surprise"), "Db could not be diagnosed: KeyError: 'Surprise'"),
    ],
)
def test_an_error_is_a_finding_and_not_raised(error: Exception, words: str) -> None:
    client = Mock()
    client.describe_db_instances.side_effect = error
    client.describe_events.return_value = {"Events": [{"Message": "still told"}]}
    assert [each.text for each in Diagnosis(lambda _: client).of([DATABASE])] == [words, "RDS: still told"]


def test_credentials_that_are_missing_are_a_finding() -> None:
    def no_client(_service: str) -> Any:
        raise RuntimeError("no credentials")

    assert "no credentials" in Diagnosis(no_client).of([DATABASE])[0].text


def test_a_service_that_does_not_answer_holds_nobody_up_and_what_was_found_before_is_told() -> None:
    released = threading.Event()
    client = Mock()
    client.describe_db_instances.return_value = {"DBInstances": [{"DBInstanceStatus": "creating"}]}
    client.describe_events.side_effect = lambda **_: released.wait(30)
    began = time.monotonic()
    lines = [each.text for each in Diagnosis(lambda _: client, budget_seconds=0.2).of([DATABASE])]
    released.set()
    assert time.monotonic() - began < 5
    assert lines == ["RDS: db-1 is creating.", "AWS answered too slowly to find out everything."]


def test_when_the_time_is_up_nothing_more_is_asked() -> None:
    client = Mock()
    found = Diagnosis(lambda _: client, budget_seconds=0).of([DATABASE])
    client.describe_db_instances.assert_not_called()
    assert found


def test_a_failure_is_diagnosed_once_at_its_first_sight() -> None:
    diagnosis = Diagnosis(database_says("failed").client, budget_seconds=30)
    failed = DATABASE.model_copy(update={"status": "CREATE_FAILED"})
    first = diagnosis.of_failure(failed)
    assert first[0].text == "RDS: db-1 is failed."
    assert diagnosis.of_failure(failed) is first


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    code = "import interlock.diagnosis.diagnosis, sys; print({'boto3', 'botocore'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"
