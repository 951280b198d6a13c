"""The budget of reads: never more than three a second, whoever asks; and no change waits for it."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.read_budget import READS_PER_SECOND, ReadBudget, budget_of
from interlock.errors import CloudFormationRefusedError
from interlock.models.stack import ChangeSet, Stack

ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1"
CHANGE_SET = ChangeSet(arn="arn:x", name="x", stack_id=ID, stack_name="app", status="S", execution_status="AVAILABLE")


class Seconds:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@given(st.lists(st.floats(0, 2), max_size=40))
def test_no_second_has_more_than_three_reads_however_they_come(pauses: list[float]) -> None:
    time = Seconds()
    budget = ReadBudget(clock=time, sleep=time.sleep)
    reads = []
    for pause in pauses:
        time.sleep(pause)
        budget.wait_for_turn()
        reads.append(time.now)
    assert all(later - earlier >= 1 - 1e-9 for earlier, later in zip(reads, reads[READS_PER_SECOND:], strict=False))


def test_three_reads_after_a_quiet_time_do_not_wait() -> None:
    time = Seconds()
    budget = ReadBudget(clock=time, sleep=time.sleep)
    for _ in range(READS_PER_SECOND):
        budget.wait_for_turn()
    assert time.now == 0
    budget.wait_for_turn()
    assert time.now == 1


def test_threads_that_ask_at_once_get_moments_of_their_own() -> None:
    slept: list[float] = []
    budget = ReadBudget(clock=lambda: 0.0, sleep=slept.append)
    threads = [threading.Thread(target=budget.wait_for_turn) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == [1, 1, 1, 2, 2, 2]


def test_what_can_be_left_undone_leaves_one_read_for_others() -> None:
    time = Seconds()
    budget = ReadBudget(clock=time, sleep=time.sleep)
    taken = 0
    while budget.has_spare:
        budget.wait_for_turn()
        taken += 1
    assert taken == READS_PER_SECOND - 1
    budget.wait_for_turn()
    assert time.now == 0
    time.sleep(1)
    assert budget.has_spare


def test_a_region_and_role_have_one_budget_in_the_process() -> None:
    role = "arn:aws:iam::123456789012:role/deployer"
    assert budget_of("eu-west-1", role) is budget_of("eu-west-1", role)
    assert budget_of("eu-west-1", role) is not budget_of("eu-central-1", role)
    assert budget_of("eu-west-1", role) is not budget_of("eu-west-1", None)


@pytest.fixture
def aws() -> Iterator[Stubber]:
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def spent(time: Seconds) -> ReadBudget:
    budget = ReadBudget(clock=time, sleep=time.sleep)
    for _ in range(READS_PER_SECOND):
        budget.wait_for_turn()
    return budget


def events(*numbers: int) -> list[dict[str, Any]]:
    at = datetime(2026, 1, 14, tzinfo=UTC)
    return [{"EventId": str(each), "StackId": ID, "StackName": "app", "Timestamp": at} for each in numbers]


def test_each_page_that_a_watcher_reads_is_paid_for(aws: Stubber) -> None:
    time = Seconds()
    for token in ("2", "3", None):
        aws.add_response("describe_stack_events", {"StackEvents": events(1)} | ({"NextToken": token} if token else {}))
    CloudFormation(cast(Any, aws.client), budget=spent(time)).events(ID)
    assert time.now == 1
    aws.add_response("describe_stack_events", {"StackEvents": []})
    CloudFormation(cast(Any, aws.client), budget=spent(time)).events_of_operation(ID, "token")
    assert time.now == 2


def test_a_change_and_the_reads_that_belong_to_it_wait_for_no_budget(aws: Stubber) -> None:
    time = Seconds()
    gateway = CloudFormation(cast(Any, aws.client), budget=spent(time), sleep=lambda _: None)
    aws.add_client_error("execute_change_set", "InvalidChangeSetStatus", "it is being executed")
    for _ in range(4):
        aws.add_response("describe_stack_events", {"StackEvents": events(1)})
    with pytest.raises(CloudFormationRefusedError):
        gateway.execute_change_set(CHANGE_SET, token="ours", guard=lambda: None)
    aws.add_response("describe_stack_events", {"StackEvents": []})
    gateway.latest_operation(Stack(name="app", stack_id=ID, status="UPDATE_IN_PROGRESS"))
    assert time.now == 0
