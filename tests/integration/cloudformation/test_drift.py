"""Drift over real HTTP: what the simulated CloudFormation tells of what was changed by hand, and what is made of it."""

import os
import uuid
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from interlock.cloudformation import clients
from interlock.cloudformation.polling import Waiting
from interlock.drift import look_for_drift
from interlock.errors import CloudFormationRefusedError
from interlock.models.drift import Drift
from interlock.models.environment import Environment
from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import Driver, topics


@pytest.fixture(scope="module")
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0.02, rollback_seconds=0.02) as running, patch.dict(os.environ, running.environment()):
        yield running


@pytest.fixture
def stack(aws: RehearsalAws) -> str:
    aws.set_rules([])
    name = f"stack-{uuid.uuid4().hex[:8]}"
    Driver(aws).deploy(name, topics("One", "Two", "Three", One={"DisplayName": "as deployed"}))
    return name


def look(stack: str) -> Drift:
    environment = Environment(name="staging", stack_name=stack, region="us-east-1")
    return look_for_drift(clients.cloudformation(environment), environment, Waiting())


def test_what_was_changed_and_what_is_gone_is_found_and_nothing_else(aws: RehearsalAws, stack: str) -> None:
    changed = {"match": f"{stack}/One", "Drift": {"/DisplayName": "by hand"}}
    aws.set_rules([changed, {"match": f"{stack}/Two", "Drift": "DELETED"}])
    one, two = look(stack).resources
    (difference,) = one.properties
    assert (difference.path, difference.expected, difference.actual) == ("/DisplayName", "as deployed", "by hand")
    assert two.in_words == "Two (AWS::SNS::Topic) is gone"
    aws.set_rules([])
    assert look(stack) == Drift()


def test_a_detection_that_fails_is_told_with_what_was_found(aws: RehearsalAws, stack: str) -> None:
    failing = {"match": f"{stack}/Three", "On": ["DRIFT"], "Seconds": 0, "Fail": "not allowed to read the topic"}
    aws.set_rules([failing, {"match": f"{stack}/Two", "Drift": "DELETED"}])
    assert look(stack).in_words == (
        "1 resource differs from the template: Two. Not known of all: not allowed to read the topic"
    )


def test_a_refused_permission_names_what_to_allow(aws: RehearsalAws, stack: str) -> None:
    fault = {"service": "cloudformation", "action": "DetectStackDrift", "kind": "error", "status": 403}
    aws.set_faults([fault | {"code": "AccessDenied", "message": "User is not authorized"}])
    with pytest.raises(CloudFormationRefusedError, match="cloudformation:DetectStackDrift"):
        look(stack)


def test_there_is_one_detection_of_a_stack_at_a_time_and_a_stalled_one_is_not_over(
    aws: RehearsalAws, stack: str
) -> None:
    aws.set_rules([{"match": f"{stack}/One", "On": ["DRIFT"], "Stall": True}])
    client = Driver(aws).cloudformation
    detection = client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
    answer = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    assert answer["DetectionStatus"] == "DETECTION_IN_PROGRESS"
    with pytest.raises(ClientError, match="already in progress"):
        client.detect_stack_drift(StackName=stack)


def test_a_continued_rollback_skips_only_what_failed(aws: RehearsalAws, stack: str) -> None:
    driver = Driver(aws)
    aws.set_rules([{"match": f"{stack}/One", "Fail": "stuck", "On": ["UPDATE", "ROLLBACK"]}])
    new = topics("One", "Two", "Three", One={"DisplayName": "new"})
    assert driver.deploy(stack, new, "UPDATE", "second") == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(ClientError, match=r"not in UPDATE_FAILED state: \[Two\]"):
        driver.cloudformation.continue_update_rollback(StackName=stack, ResourcesToSkip=["One", "Two"])
    driver.cloudformation.continue_update_rollback(StackName=stack, ResourcesToSkip=["One"])
    assert driver.finish(stack) == "UPDATE_ROLLBACK_COMPLETE"
