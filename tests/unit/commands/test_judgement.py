"""What a command's end and its operation's end mean together; and which operation is its own."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import cast
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.cloudformation.gateway import CloudFormation
from interlock.commands.judgement import outcome_of_command
from interlock.commands.operation import (
    EventsAfterMark,
    Patience,
    Seen,
    first_operation,
    last_operation,
    look,
    when_settled,
)
from interlock.commands.output import Output
from interlock.commands.running import Ending
from interlock.commands.surroundings import secrets_in, surroundings
from interlock.errors import CloudFormationRefusedError, CloudFormationUnavailableError
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.models.stack import Stack, StackEvent
from tests.unit.monitoring.replay import START, Clock

ID = "arn:aws:cloudformation:us-east-1:1:stack/app/1"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENVIRONMENT = Environment(name="staging", stack_name="app", region="us-east-1", application_url_output="Url")
WELL, BADLY = Ending(exit_code=0), Ending(exit_code=3, last_lines=("no such account",))


def events(*statuses: str) -> tuple[StackEvent, ...]:
    return tuple(
        StackEvent(
            event_id=str(number), timestamp=NOW, stack_id=ID, stack_name="app", logical_id="app", physical_id=ID,
            resource_type="AWS::CloudFormation::Stack", status=status,
        )
        for number, status in enumerate(statuses)
    )  # fmt: skip


def seen(*statuses: str, now: str | None = "UPDATE_COMPLETE") -> Seen:
    stack = Stack(name="app", stack_id=ID, status=now, outputs={"Url": "http://x"}) if now else None
    return Seen(stack=stack, events=events(*statuses))


def judge(ending: Ending | None, found: Seen, *, had_stack: bool = True) -> Outcome:
    gateway = cast("CloudFormation", Mock(spec=CloudFormation))
    return outcome_of_command(ending, found, ENVIRONMENT, gateway, had_stack=had_stack, now=NOW)


def statuses(found: Sequence[StackEvent]) -> list[str]:
    return [event.status for event in found]


def test_a_good_end_of_both_is_a_success_with_the_stacks_outputs() -> None:
    outcome = judge(WELL, seen("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"))
    assert (outcome.status, outcome.application_url, outcome.reason) == (DeploymentStatus.SUCCEEDED, "http://x", None)


def test_no_operation_after_a_good_end_is_a_success_with_no_changes() -> None:
    outcome = judge(WELL, seen())
    assert (outcome.status, outcome.no_changes) == (DeploymentStatus.SUCCEEDED, True)


@pytest.mark.parametrize(("had_stack", "said"), [(True, "is gone"), (False, "does not exist: it deploys another one")])
def test_a_good_end_without_a_stack_is_a_failure(said: str, *, had_stack: bool) -> None:
    outcome = judge(WELL, seen(now=None), had_stack=had_stack)
    assert outcome.status is DeploymentStatus.FAILED
    assert said in (outcome.reason or "")


@pytest.mark.parametrize("ending", [WELL, BADLY, None])
def test_an_operation_that_was_rolled_back_is_told_as_cloudformation_tells_it(ending: Ending | None) -> None:
    found = seen("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    outcome = judge(ending, found)
    assert outcome.status is DeploymentStatus.ROLLED_BACK
    assert "UPDATE_ROLLBACK_COMPLETE" in (outcome.reason or "")


def test_a_bad_end_after_a_good_operation_is_a_failure_that_tells_both() -> None:
    outcome = judge(BADLY, seen("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"))
    assert (outcome.status, outcome.stack_status) == (DeploymentStatus.FAILED, "UPDATE_COMPLETE")
    assert "exit code 3" in (outcome.reason or "")
    assert "no such account" in (outcome.reason or "")


def test_a_bad_end_without_an_operation_is_a_failure_told_by_the_last_lines() -> None:
    assert judge(BADLY, seen()).reason == "The command ended with exit code 3.\nno such account"


def test_an_end_that_nobody_saw_is_told_by_the_operation_alone() -> None:
    assert judge(None, seen("CREATE_IN_PROGRESS", "CREATE_COMPLETE")).status is DeploymentStatus.SUCCEEDED
    assert "its process died" in (judge(None, seen("CREATE_IN_PROGRESS", "CREATE_COMPLETE")).reason or "")
    assert judge(None, seen()).reason == "The command was killed before it changed the stack."


@given(st.lists(st.sampled_from(["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS"])))
def test_an_operation_begins_with_its_first_line_and_ends_with_its_last(log: list[str]) -> None:
    for found in (first_operation(events(*log)), last_operation(events(*log))):
        assert not found or found[0].state.begins_operation
        assert not [event for event in found[:-1] if event.state.is_terminal]


def test_of_several_operations_the_monitor_sees_the_first_and_the_last_one_decides() -> None:
    log = events("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE")
    assert statuses(first_operation(log)) == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert statuses(last_operation(log)) == ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]


def test_a_stack_is_looked_at_from_the_mark_on() -> None:
    gateway = Mock(spec=CloudFormation)
    gateway.stack.return_value = Stack(name="app", stack_id=ID, status="UPDATE_IN_PROGRESS")
    gateway.events.return_value = []  # they lag behind the status
    assert look(gateway, "app", after="mark").is_running
    gateway.events.assert_called_once_with(ID, after="mark")


def test_a_stack_that_does_not_exist_yet_has_no_events_and_any_other_refusal_is_told() -> None:
    gateway = Mock(spec=CloudFormation)
    gateway.events.side_effect = CloudFormationRefusedError("Stack [app] does not exist", code="ValidationError")
    reader = EventsAfterMark(gateway, after=None)
    assert reader.events_of_operation("app", "token") == []
    gateway.events.side_effect = CloudFormationRefusedError("not yours", code="AccessDenied")
    with pytest.raises(CloudFormationRefusedError):
        reader.events_of_operation("app", "token")


@pytest.mark.parametrize(("begun", "seconds"), [(True, 3), (False, 5)])
def test_promise_10_a_stack_is_settled_when_it_is_quiet_and_certain_and_failed_reads_decide_nothing(
    seconds: int, *, begun: bool
) -> None:
    quiet = seen("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE") if begun else seen()
    answers: Iterator[Seen | Exception] = iter(
        [seen(now="UPDATE_IN_PROGRESS"), CloudFormationUnavailableError("Rate exceeded"), *[quiet] * 9]
    )
    clock, told = Clock(), Mock()

    def read() -> Seen:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    patience = Patience(unseen_seconds=5, seen_seconds=3)
    assert when_settled(read, patience, pause=clock.sleep, tell=told, clock=clock) == quiet
    assert (clock() - START).total_seconds() == seconds
    told.assert_called_once()


def test_whoever_is_torn_down_waits_no_longer() -> None:
    patience = Patience(unseen_seconds=5)
    assert when_settled(seen, patience, pause=lambda _: True, tell=Mock(), clock=Clock()) is None


def test_output_is_bounded_and_its_end_is_kept() -> None:
    stream = Mock()
    stream.readline.side_effect = [*(f"{number}\n" for number in range(10_050)), ""]
    told: list[str] = []
    output = Output(told.append)
    output.read(stream)
    assert len(told) == 10_001
    assert output.last_lines[-1] == "10049"


def test_a_command_gets_the_workers_variables_without_our_secrets() -> None:
    worker = {"PATH": "/bin", "PREFECT_API_AUTH_STRING": "u:p", "INTERLOCK_SLACK_TOKEN": "xoxb", "AWS_PROFILE": "own"}
    plain = surroundings(worker, ENVIRONMENT, "id-1")
    assert plain == {
        "PATH": "/bin", "AWS_PROFILE": "own", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "INTERLOCK_CORRELATION_ID": "id-1", "INTERLOCK_ENVIRONMENT": "staging",
    }  # fmt: skip
    assumed = surroundings(worker, ENVIRONMENT, "id-1", {"AWS_ACCESS_KEY_ID": "k"})
    assert "AWS_PROFILE" not in assumed
    assert assumed["AWS_ACCESS_KEY_ID"] == "k"


def test_the_credentials_that_a_command_gets_are_kept_out_of_its_log_if_they_are_real() -> None:
    assert list(secrets_in({"AWS_SECRET_ACCESS_KEY": "test"})) == []
    assert list(secrets_in({"AWS_SECRET_ACCESS_KEY": "k" * 40, "AWS_SESSION_TOKEN": "t" * 300})) == [
        "k" * 40,
        "t" * 300,
    ]
