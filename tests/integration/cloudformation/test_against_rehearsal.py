"""The whole of it against the simulated AWS, over HTTP: what moto and stubs cannot show."""

import os
from collections.abc import Iterator
from datetime import datetime
from unittest.mock import patch

import pytest

from interlock.clock import utc_now
from interlock.cloudformation import change_sets, clients, templates
from interlock.cloudformation.failures import first_cause_within
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.requests import check_request
from interlock.correlation_id import new_correlation_id
from interlock.errors import CloudFormationUnavailableError
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.models.stack import ChangeSet
from interlock.monitoring.watcher import Observation, StackWatcher
from interlock.rehearsal.aws.process import RehearsalAws

ENVIRONMENT = Environment(name="staging", stack_name="app", region="us-east-1")
ONE = "Resources:\n  Topic: {Type: AWS::SNS::Topic}\n"
TWO = ONE + "  Queue: {Type: AWS::SQS::Queue, DependsOn: Topic}\n"
FIVE = "Resources:\n  R1: {Type: AWS::SNS::Topic}\n" + "".join(
    f"  R{number}: {{Type: AWS::SQS::Queue, DependsOn: R{number - 1}}}\n" for number in range(2, 6)
)


@pytest.fixture(scope="module")
def running() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0.2, rollback_seconds=0.2) as aws, patch.dict(os.environ, aws.environment()):
        yield aws


@pytest.fixture
def aws(running: RehearsalAws) -> RehearsalAws:
    running.reset()
    return running


@pytest.fixture
def gateway(aws: RehearsalAws) -> CloudFormation:
    assert aws.pid is not None
    return clients.cloudformation(ENVIRONMENT)


def guard() -> None:
    """Nothing in the way."""


def make(gateway: CloudFormation, template: str, token: str) -> ChangeSet:
    request = DeploymentRequest(environment="staging", template=template)
    checked = check_request(request, ENVIRONMENT, templates.load(template), gateway)
    stack = change_sets.recreate(
        gateway, gateway.stack("app"), environment=ENVIRONMENT, correlation_id=token, guard=guard
    )
    return change_sets.make(gateway, ENVIRONMENT, checked, stack=stack, correlation_id=token, guard=guard)


def start(gateway: CloudFormation, template: str) -> tuple[StackWatcher, str]:
    token = new_correlation_id(utc_now())
    made = make(gateway, template, token)
    started_after: datetime = utc_now()
    gateway.execute_change_set(made, token=token, guard=guard)
    watcher = StackWatcher(
        gateway, stack_id=made.stack_id, token=token, started_after=started_after, changes=made.changes
    )
    return watcher, token


def deploy(gateway: CloudFormation, template: str) -> Observation:
    watcher, _ = start(gateway, template)
    *_, last = watcher.follow()
    return last


def test_a_stack_is_created_updated_and_then_has_nothing_to_change(gateway: CloudFormation) -> None:
    assert deploy(gateway, ONE).outcome == "CREATE_COMPLETE"
    assert deploy(gateway, TWO).outcome == "UPDATE_COMPLETE"
    assert make(gateway, TWO, new_correlation_id(utc_now())).is_empty
    stack = gateway.stack("app")
    assert stack is not None
    assert "Queue" in gateway.get_template(stack)


def test_a_failed_creation_rolls_back_its_cause_is_found_and_the_next_one_starts_afresh(
    aws: RehearsalAws, gateway: CloudFormation
) -> None:
    aws.set_rules([{"match": "app/Queue", "Fail": "Queue already exists"}])
    last = deploy(gateway, TWO)
    assert last.outcome == "ROLLBACK_COMPLETE"
    cause = first_cause_within(gateway, last.events)
    assert cause is not None
    assert (cause.logical_id, cause.reason) == ("Queue", "Queue already exists")
    aws.set_rules([])
    assert deploy(gateway, TWO).outcome == "CREATE_COMPLETE"


@pytest.mark.parametrize("action", ["CreateChangeSet", "ExecuteChangeSet"])
def test_a_change_applied_whose_answer_was_lost_is_done_once(
    aws: RehearsalAws, gateway: CloudFormation, action: str
) -> None:
    aws.set_faults([{"service": "cloudformation", "action": action, "kind": "after", "times": 1}])
    assert deploy(gateway, ONE).outcome == "CREATE_COMPLETE"
    assert len(aws.operations()) == 1
    assert [each["action"] for each in aws.log()].count(action) == 2


def test_the_last_read_of_throttled_events_decides(aws: RehearsalAws, gateway: CloudFormation) -> None:
    watcher, _ = start(gateway, ONE)
    fault = {"service": "cloudformation", "action": "DescribeStackEvents", "kind": "error", "times": 5}
    aws.set_faults([fault | {"code": "Throttling", "message": "Rate exceeded", "status": 400}])
    observations = list(watcher.follow())
    assert observations[0].read_error is not None
    assert observations[0].outcome is None
    assert observations[-1].outcome == "CREATE_COMPLETE"


def test_an_answer_cut_short_is_not_an_absent_stack(aws: RehearsalAws, gateway: CloudFormation) -> None:
    deploy(gateway, ONE)
    aws.set_faults([{"service": "cloudformation", "action": "DescribeStacks", "kind": "truncate", "times": -1}])
    with pytest.raises(CloudFormationUnavailableError):
        gateway.stack("app")


def test_whose_operation_runs_is_known_by_its_token(gateway: CloudFormation) -> None:
    watcher, token = start(gateway, FIVE)
    stack = gateway.stack("app")
    assert stack is not None
    operation = gateway.latest_operation(stack)
    assert operation is not None
    assert (operation.token, operation.is_ended) == (token, False)
    list(watcher.follow())


@pytest.mark.slow
def test_five_resources_of_two_seconds_cost_five_reads_and_the_end_is_seen_at_once(
    aws: RehearsalAws, gateway: CloudFormation
) -> None:
    aws.set_rules([{"match": "app/*", "Seconds": 2}])
    watcher, _ = start(gateway, FIVE)
    aws.clear_log()
    *_, last = watcher.follow()
    assert [each["action"] for each in aws.log()].count("DescribeStackEvents") <= 5
    assert (last.observed_at - last.events[-1].timestamp).total_seconds() <= 0.7
