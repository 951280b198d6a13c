"""Change sets made and stacks recreated, with an invented clock and a gateway that remembers what it was asked."""

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from interlock.cloudformation import change_sets
from interlock.cloudformation.polling import Pauses, Waiting, first_answer
from interlock.cloudformation.requests import CheckedRequest
from interlock.cloudformation.templates import Template
from interlock.errors import (
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    StackBusyError,
    StackNeedsRecoveryError,
)
from interlock.models.environment import Environment
from interlock.models.stack import ChangeSet, Operation, Stack

TOKEN = "20260114-215432-375a1384"
ENVIRONMENT = Environment(name="staging", stack_name="app", region="us-east-1")
CHECKED = CheckedRequest(
    template=Template(body="Resources: {}"), parameters={}, shown_parameters={}, capabilities=(), tags={}
)
EMPTY_REASONS = (
    "The submitted information didn't contain changes. Submit different information to create a change set.",
    "No updates are to be performed.",
)


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 14, tzinfo=UTC)
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += timedelta(seconds=seconds)

    @property
    def waiting(self) -> Waiting:
        return Waiting(lambda: self.now, self.sleep)


def stack(status: str, **more: Any) -> Stack:
    return Stack(name="app", stack_id="arn:stack/app/1", status=status, **more)


def change_set(status: str, execution_status: str = "UNAVAILABLE", reason: str | None = None) -> ChangeSet:
    return ChangeSet(
        arn="arn:changeSet/interlock-x/1",
        name="interlock-x",
        stack_id="arn:stack/app/1",
        stack_name="app",
        status=status,
        execution_status=execution_status,
        status_reason=reason,
    )


MADE = change_set("CREATE_COMPLETE", "AVAILABLE")


def gateway(**answers: Any) -> Mock:
    made = Mock()
    made.create_change_set.return_value = MADE.arn
    made.latest_operation.return_value = None
    for name, answer in answers.items():
        setattr(getattr(made, name), "side_effect" if isinstance(answer, list) else "return_value", answer)
    return made


def guard() -> None:
    """Nothing in the way."""


def make(using: Mock, time: Time | None = None) -> ChangeSet:
    return change_sets.make(
        using,
        ENVIRONMENT,
        CHECKED,
        stack=None,
        correlation_id=TOKEN,
        guard=guard,
        waiting=(time or Time()).waiting,
    )


def recreate(using: Mock, given: Stack | None) -> Stack | None:
    return change_sets.recreate(
        using, given, environment=ENVIRONMENT, correlation_id=TOKEN, guard=guard, waiting=Time().waiting
    )


def test_a_change_set_is_read_until_it_is_made() -> None:
    time = Time()
    missing = CloudFormationRefusedError("ChangeSet [x] does not exist", code="ChangeSetNotFound")
    throttled = CloudFormationUnavailableError("Rate exceeded")
    using = gateway(
        change_set=[missing, change_set("CREATE_PENDING"), throttled, change_set("CREATE_IN_PROGRESS"), MADE]
    )
    assert make(using, time) == MADE
    assert time.pauses == sorted(time.pauses)
    assert time.pauses[0] == 0.2
    assert using.create_change_set.call_args.kwargs["name"] == f"interlock-{TOKEN}"


@pytest.mark.parametrize("reason", EMPTY_REASONS)
def test_nothing_to_change_is_no_failure_and_leaves_no_change_set(reason: str) -> None:
    using = gateway(change_set=change_set("FAILED", reason=reason))
    assert make(using).is_empty
    using.delete_change_set.assert_called_once()


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck].", "describe-events"),
        ("Transform AWS::Include failed with: S3 bucket [doesnotexist] does not exist.", "transform"),
        ("Something nobody has seen before", "deploy again"),
    ],
)
def test_a_change_set_that_fails_is_refused_with_its_reason_and_a_hint(reason: str, hint: str) -> None:
    with pytest.raises(CloudFormationRefusedError) as caught:
        make(gateway(change_set=change_set("FAILED", reason=reason)))
    assert reason in caught.value.message
    assert hint in (caught.value.next_step or "")


def test_waiting_for_a_change_set_is_bounded() -> None:
    time = Time()
    start = time.now
    with pytest.raises(CloudFormationUnavailableError):
        make(gateway(change_set=change_set("CREATE_IN_PROGRESS")), time)
    assert time.now - start <= timedelta(minutes=15)
    assert max(time.pauses) == 2


def test_a_change_set_that_stays_missing_is_refused() -> None:
    using = gateway()
    using.change_set.side_effect = CloudFormationRefusedError("does not exist", code="ChangeSetNotFound")
    with pytest.raises(CloudFormationRefusedError):
        make(using)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_exists_is_left_as_it_is(status: str) -> None:
    using = gateway()
    assert recreate(using, stack(status)) == stack(status)
    assert using.method_calls == []
    assert recreate(using, None) is None


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
@pytest.mark.parametrize("last", [None, stack("DELETE_COMPLETE")])
def test_a_stack_that_never_came_to_be_is_removed(status: str, last: Stack | None) -> None:
    using = gateway(stack=[stack(status), stack("DELETE_IN_PROGRESS"), CloudFormationUnavailableError("?"), last])
    assert recreate(using, stack(status)) is None
    using.delete_stack.assert_called_once_with("arn:stack/app/1", token=f"{TOKEN}-recreate", guard=guard)


def test_a_removal_that_fails_needs_a_person() -> None:
    failed = stack("DELETE_FAILED", status_reason="The following resource(s) failed to delete: [BrokenPolicy].")
    with pytest.raises(StackNeedsRecoveryError, match="BrokenPolicy"):
        recreate(gateway(stack=[failed]), stack("ROLLBACK_COMPLETE"))


def test_a_stack_under_review_loses_our_old_change_sets_and_keeps_those_of_people() -> None:
    arns = tuple(f"arn:changeSet/{name}/1" for name in ("interlock-old", f"interlock-{TOKEN}", "by-hand"))
    using = gateway(change_set_arns=arns)
    assert recreate(using, stack("REVIEW_IN_PROGRESS")) == stack("REVIEW_IN_PROGRESS")
    using.delete_change_set.assert_called_once_with(arns[0], guard=guard)


def test_a_stack_under_review_whose_events_show_an_operation_is_busy() -> None:
    running = Operation(token="other", started_at=Time().now, status="CREATE_IN_PROGRESS")
    with pytest.raises(StackBusyError):
        recreate(gateway(latest_operation=running), stack("REVIEW_IN_PROGRESS"))


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"])
def test_from_a_stack_that_needs_a_person_no_deployment_starts(status: str) -> None:
    with pytest.raises(StackNeedsRecoveryError) as caught:
        recreate(gateway(), stack(status))
    assert caught.value.next_step


def test_a_busy_stack_is_not_touched() -> None:
    using = gateway()
    with pytest.raises(StackBusyError):
        recreate(using, stack("UPDATE_IN_PROGRESS"))
    assert using.method_calls == []


def test_an_executed_change_set_is_known_by_what_is_left_of_it() -> None:
    left = change_sets.executed("arn:aws:cloudformation:r:1:changeSet/interlock-x/9", stack("CREATE_COMPLETE"))
    assert (left.name, left.stack_id, left.is_executable) == ("interlock-x", "arn:stack/app/1", False)


def test_the_last_failed_look_is_raised() -> None:
    def look() -> bool | None:
        raise CloudFormationUnavailableError("Rate exceeded")

    with pytest.raises(CloudFormationUnavailableError):
        first_answer(look, Pauses(first_seconds=1, longest_seconds=2, patience_seconds=5), Time().waiting)
