"""What the end of an operation says to people: cause, rest, and the exact next step."""

from unittest.mock import Mock

from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.models.stack import StackEvent
from interlock.monitoring.watcher import Observation
from interlock.operation_outcome import cancelled_outcome, outcome_of_operation
from tests.unit.cloudformation.test_failures import NESTED, NESTED_ID, START, gateway_with, line

ENVIRONMENT = Environment(name="staging", stack_name="app", region="eu-west-1")
BEGIN = line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated")
FAILED = line(2, "Service", "UPDATE_FAILED", "AccessDenied")
TURN = line(3, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Service].")


def outcome(*events: StackEvent, gateway: Mock | None = None) -> Outcome:
    observation = Observation(observed_at=START, events=events, outcome=events[-1].status)
    return outcome_of_operation(observation, None, ENVIRONMENT, gateway or gateway_with())


def test_a_stuck_rollback_names_what_blocks_it_and_the_command() -> None:
    found = outcome(
        BEGIN,
        FAILED,
        TURN,
        line(4, "Database", "UPDATE_FAILED", "it was deleted by hand"),
        line(5, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Database]."),
    )
    command = "aws cloudformation continue-update-rollback --stack-name app --region eu-west-1"
    assert found.next_step is not None
    assert "Repair Database (AWS::SNS::Topic), then run `interlock recover staging`" in found.next_step
    assert f"(by hand: `{command}`)" in found.next_step
    assert "`interlock recover staging --skip Database`" in found.next_step
    assert "Service (AWS::SNS::Topic) failed first: AccessDenied" in (found.reason or "")
    assert "The rollback failed on Database (AWS::SNS::Topic): it was deleted by hand" in (found.reason or "")
    assert found.next_step in (found.reason or "")


def test_what_blocks_within_a_nested_stack_is_skipped_by_that_stacks_name() -> None:
    gateway = gateway_with(
        line(3, "app-db", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed", stack_id=NESTED_ID),
        line(4, "Alarm", "UPDATE_FAILED", "gone", stack_id=NESTED_ID),
    )
    found = outcome(
        BEGIN,
        FAILED,
        TURN,
        line(4, "Db", "UPDATE_FAILED", "Embedded stack", physical_id=NESTED_ID, resource_type=NESTED),
        line(5, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Db]."),
        gateway=gateway,
    )
    assert "--skip app-db.Alarm`" in (found.next_step or "")
    assert "Alarm (AWS::SNS::Topic) in the nested stack app-db" in (found.reason or "")


def test_without_the_events_nothing_is_named_to_be_skipped() -> None:
    found = outcome(BEGIN, FAILED, TURN, line(5, "app", "UPDATE_ROLLBACK_FAILED"))
    assert "continue-update-rollback --stack-name app" in (found.next_step or "")
    assert "--skip" not in (found.next_step or "")


def test_a_rollback_that_ended_well_asks_for_nothing_and_lists_what_failed_beside_the_cause() -> None:
    beside = line(2, "Topic", "UPDATE_FAILED", "LimitExceeded")
    found = outcome(BEGIN, FAILED, beside, TURN, line(5, "app", "UPDATE_ROLLBACK_COMPLETE"))
    assert found.next_step is None
    assert found.first_cause is not None
    assert found.first_cause.kind == "access-denied"
    assert (found.reason or "").endswith("Also failed: Topic (AWS::SNS::Topic).")


def test_a_reason_of_any_length_is_kept_short() -> None:
    failed = line(2, "Service", "UPDATE_FAILED", "x" * 50_000)
    assert len(outcome(BEGIN, failed, TURN, line(5, "app", "UPDATE_ROLLBACK_COMPLETE")).reason or "") < 1_200


def test_a_cancelled_operation_names_no_first_cause_but_still_what_to_do_about_a_stuck_rollback() -> None:
    found = cancelled_outcome(outcome(BEGIN, FAILED, TURN, line(5, "app", "UPDATE_ROLLBACK_FAILED")))
    assert found.first_cause is None
    assert "continue-update-rollback" in (found.reason or "")
