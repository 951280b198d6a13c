"""Stack operations of the simulated AWS: pace, order, failures, rollbacks."""

import time
import uuid
from collections.abc import Iterator

import pytest

from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import Driver, topics


@pytest.fixture(scope="module")
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0.05, rollback_seconds=0.05) as running:
        yield running


@pytest.fixture
def driver(aws: RehearsalAws) -> Iterator[Driver]:
    aws.set_rules([])
    yield Driver(aws)
    aws.set_rules([])


@pytest.fixture
def stack() -> str:
    return f"stack-{uuid.uuid4().hex[:8]}"


def test_independent_resources_are_created_in_parallel_and_dependent_ones_in_order(driver: Driver, stack: str) -> None:
    driver.aws.set_rules([{"match": f"{stack}/*", "Seconds": 0.5}])
    template = topics("One", "Two", "Three")
    template["Resources"]["Last"] = {"Type": "AWS::SQS::Queue", "DependsOn": ["One", "Two", "Three"]}
    driver.start(stack, template)
    driver.wait_for_event(stack, "One", "CREATE_IN_PROGRESS")
    started = time.monotonic()
    assert driver.finish(stack) == "CREATE_COMPLETE"
    assert 0.8 < time.monotonic() - started < 1.6
    statuses = driver.statuses(stack)
    assert statuses.index(("Three", "CREATE_IN_PROGRESS")) < statuses.index(("One", "CREATE_COMPLETE"))
    assert statuses.index(("Two", "CREATE_COMPLETE")) < statuses.index(("Last", "CREATE_IN_PROGRESS"))


def test_every_event_of_an_operation_carries_its_token(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Topic"), token="first")
    driver.deploy(stack, topics("Topic", "Other"), "UPDATE", "second", token="second")
    tokens = {event.get("ClientRequestToken") for event in driver.raw_events(stack)}
    assert tokens == {None, "first", "second"}  # None: the review that a change set opens
    assert driver.events(stack)[1] == (stack, "CREATE_IN_PROGRESS", "User Initiated")


def test_a_failed_resource_cancels_the_others_and_the_creation_rolls_back(driver: Driver, stack: str) -> None:
    driver.aws.set_rules(
        [{"match": f"{stack}/Bad", "Fail": "no such luck", "Seconds": 0.2}, {"match": f"{stack}/Slow", "Seconds": 60}]
    )
    assert driver.deploy(stack, topics("Bad", "Slow", "Quick")) == "ROLLBACK_COMPLETE"
    events = driver.events(stack)
    assert ("Bad", "CREATE_FAILED", "no such luck") in events
    assert ("Slow", "CREATE_FAILED", "Resource creation cancelled") in events
    reason = "The following resource(s) failed to create: [Bad, Slow]. Rollback requested by user."
    assert (stack, "ROLLBACK_IN_PROGRESS", reason) in events
    assert {("Quick", "DELETE_COMPLETE"), ("Slow", "DELETE_COMPLETE")} <= set(driver.statuses(stack))


def test_a_stalled_resource_goes_on_when_its_rule_goes(driver: Driver, stack: str) -> None:
    driver.aws.set_rules([{"match": f"{stack}/Topic", "Stall": True}])
    driver.start(stack, topics("Topic"))
    driver.wait_for_event(stack, "Topic", "CREATE_IN_PROGRESS")
    time.sleep(0.3)
    assert driver.status(stack) == "CREATE_IN_PROGRESS"
    driver.aws.set_rules([])
    assert driver.finish(stack) == "CREATE_COMPLETE"


def test_the_template_itself_can_ask_for_a_failure(driver: Driver, stack: str) -> None:
    template = topics("Topic")
    template["Resources"]["Topic"]["Metadata"] = {"Rehearsal": {"Fail": "as asked", "Seconds": 0}}
    assert driver.deploy(stack, template) == "ROLLBACK_COMPLETE"
    assert ("Topic", "CREATE_FAILED", "as asked") in driver.events(stack)


def test_a_deletion_that_fails_during_the_rollback_leaves_rollback_failed(driver: Driver, stack: str) -> None:
    driver.aws.set_rules(
        [{"match": f"{stack}/Bad", "Fail": "no", "Seconds": 0.3}, {"match": f"{stack}/Sticky", "FailDelete": "in use"}]
    )
    assert driver.deploy(stack, topics("Bad", "Sticky")) == "ROLLBACK_FAILED"
    assert driver.stack(stack)["StackStatusReason"] == "The following resource(s) failed to delete: [Sticky]. "


def test_an_update_touches_only_what_changes(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Same", "Gone", "Renamed", "Changed", Renamed={"TopicName": f"{stack}-a"}))
    before = len(driver.events(stack))
    new = topics(
        "Same", "Added", "Renamed", "Changed", Renamed={"TopicName": f"{stack}-b"}, Changed={"DisplayName": "x"}
    )
    made = driver.start(stack, new, "UPDATE", "second")
    changes = {
        change["ResourceChange"]["LogicalResourceId"]: (
            change["ResourceChange"]["Action"],
            change["ResourceChange"].get("Replacement"),
        )
        for change in made["Changes"]
    }
    assert changes == {
        "Added": ("Add", None),
        "Renamed": ("Modify", "True"),
        "Changed": ("Modify", "False"),
        "Gone": ("Remove", None),
    }
    assert driver.finish(stack) == "UPDATE_COMPLETE"
    new_events = driver.statuses(stack)[before:]
    assert "Same" not in {logical_id for logical_id, _ in new_events}
    assert (stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") in new_events
    assert {("Gone", "DELETE_COMPLETE"), ("Renamed", "DELETE_COMPLETE")} <= set(new_events)


def test_a_failed_update_rolls_back_to_what_was(driver: Driver, stack: str) -> None:
    old = topics("Topic", Topic={"DisplayName": "old"})
    old["Outputs"] = {"Name": {"Value": "old"}}
    driver.deploy(stack, old)
    driver.aws.set_rules([{"match": f"{stack}/Topic", "Fail": "refused", "Seconds": 0.2}])
    new = topics("Topic", "Added", Topic={"DisplayName": "new"})
    assert driver.deploy(stack, new, "UPDATE", "second") == "UPDATE_ROLLBACK_COMPLETE"
    events = driver.events(stack)
    assert (stack, "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Topic]. ") in events
    assert {("Added", "DELETE_COMPLETE"), (stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")} <= set(
        driver.statuses(stack)
    )
    assert driver.stack(stack)["Outputs"][0]["OutputValue"] == "old"
    assert driver.change_set(stack, old, "UPDATE", "third")["Status"] == "FAILED"  # nothing differs from what was


def test_a_rollback_that_fails_can_be_continued(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Topic", Topic={"DisplayName": "old"}))
    driver.aws.set_rules([{"match": f"{stack}/Topic", "Fail": "stuck", "On": ["UPDATE", "ROLLBACK"]}])
    new = topics("Topic", Topic={"DisplayName": "new"})
    assert driver.deploy(stack, new, "UPDATE", "second") == "UPDATE_ROLLBACK_FAILED"
    driver.aws.set_rules([])
    driver.cloudformation.continue_update_rollback(StackName=stack)
    assert driver.finish(stack) == "UPDATE_ROLLBACK_COMPLETE"


def test_a_cancelled_update_rolls_back(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Topic"))
    driver.aws.set_rules([{"match": f"{stack}/Topic", "Stall": True}])
    driver.start(stack, topics("Topic", Topic={"DisplayName": "new"}), "UPDATE", "second")
    driver.wait_for_event(stack, "Topic", "UPDATE_IN_PROGRESS")
    driver.cloudformation.cancel_update_stack(StackName=stack)
    assert driver.finish(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert ("Topic", "UPDATE_FAILED", "Resource update cancelled") in driver.events(stack)


def test_a_stack_can_be_deleted_while_it_is_created(driver: Driver, stack: str) -> None:
    driver.aws.set_rules([{"match": f"{stack}/Topic", "Stall": True}])
    stack_id = driver.start(stack, topics("Topic"))["StackId"]
    driver.wait_for_event(stack, "Topic", "CREATE_IN_PROGRESS")
    driver.cloudformation.delete_stack(StackName=stack)
    assert driver.finish(stack_id) == "DELETE_COMPLETE"


def test_operations_are_on_record_from_beginning_to_end(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Topic"), token="first")
    (record,) = [operation for operation in driver.aws.operations() if operation["stack"] == stack]
    assert (record["token"], record["kind"], record["outcome"]) == ("first", "CREATE", "CREATE_COMPLETE")
    assert record["started"] < record["ended"]


def test_events_come_in_pages_of_a_hundred_newest_first(driver: Driver, stack: str) -> None:
    driver.aws.set_rules([{"match": f"{stack}/*", "Seconds": 0}])
    driver.deploy(stack, topics(*(f"T{number}" for number in range(40))))
    page = driver.cloudformation.describe_stack_events(StackName=stack)
    assert len(page["StackEvents"]) == 100
    assert page["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert len({event["EventId"] for event in driver.raw_events(stack)}) == 40 * 3 + 3
