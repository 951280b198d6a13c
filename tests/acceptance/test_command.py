"""An environment deployed by a script of its team's: the same queue, hold, monitor and record, whatever dies."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.rehearsal_system import RehearsalSystem
from interlock.models.deployment import DeploymentStatus
from tests.acceptance.asking import Asked, ask, chain
from tests.acceptance.engines import kill_engine

ENVIRONMENT = "command"
MODE = "Parameters: {Mode: {Type: String, Default: wait}}\n"


@pytest.fixture(autouse=True)
def no_rules(system: RehearsalSystem) -> Iterator[None]:
    yield
    system.aws.set_rules([])


def test_the_script_deploys_with_its_output_in_the_log_and_without_our_secrets(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 0.1))
    assert asked.wait()["state_name"] == "Succeeded", asked.log()
    log = asked.log()
    assert f"for {ENVIRONMENT}" in log
    assert "given: ['INTERLOCK_CORRELATION_ID', 'INTERLOCK_ENVIRONMENT']" in log
    assert "R1 (AWS::SQS::Queue) CREATE_COMPLETE" in log
    record = asked.outcome()["record"]
    assert (record["stack_status"], record["by_command"], record["operation_token"]) == ("CREATE_COMPLETE", True, None)
    _nothing_is_left(system, ENVIRONMENT)


def test_a_script_that_finds_nothing_to_do_is_a_success_with_no_changes(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 0.1))
    assert asked.wait()["state_name"] == "No Changes", asked.log()


def test_an_operation_that_the_script_did_not_wait_for_is_waited_for(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 4, delay=1), parameters={"Mode": "no-wait"})
    assert asked.wait()["state_name"] == "Succeeded", asked.log()
    assert asked.outcome()["record"]["stack_status"] == "UPDATE_COMPLETE"


def test_a_failed_operation_is_told_with_cloudformations_first_cause(system: RehearsalSystem) -> None:
    system.aws.set_rules([{"match": f"interlock-{ENVIRONMENT}/R1", "Fail": "Resource limit exceeded for R1"}])
    asked = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 0.1, delay=2))
    assert asked.wait()["state_name"] == "Rolled Back", asked.log()
    assert "Resource limit exceeded for R1" in asked.outcome()["reason"]


def test_a_script_that_fails_before_it_changes_anything_is_told_by_its_last_lines(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 0.1, delay=3), parameters={"Mode": "broken"})
    assert asked.wait()["state_name"] == "Failed"
    reason = asked.outcome()["reason"]
    assert "exit code 3" in reason
    assert "no such account" in reason
    _nothing_is_left(system, ENVIRONMENT)


def test_a_script_that_takes_too_long_is_ended_with_its_group(system: RehearsalSystem) -> None:
    """`command-timed` gives it 3 s."""
    asked = ask(system.api_url, "command-timed", MODE + chain(0.1), parameters={"Mode": "slow"})
    assert asked.wait()["state_name"] == "Failed"
    assert "took longer than 0.05 minutes" in asked.outcome()["reason"]
    assert not _is_alive(_pid(asked))


def test_what_a_command_cannot_take_is_an_invalid_request(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, "command-timed", "", tags={"team": "x"}, parameters={"--profile": "theirs"})
    assert asked.wait()["state_name"] == "Invalid"
    problems = "\n".join(asked.outcome()["problems"])
    assert "template: it is empty" in problems
    assert "tags: the environment's command takes none" in problems
    assert "parameters/--profile: not the name of a parameter" in problems


def test_a_cancelled_script_is_ended_and_its_update_rolled_back(system: RehearsalSystem) -> None:
    system.aws.set_rules([{"match": f"interlock-{ENVIRONMENT}/R1", "Seconds": 20}])
    asked = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 0.1, delay=4))
    asked.wait_for_log("UPDATE_IN_PROGRESS")
    asked.cancel()
    assert asked.wait()["state_name"] == "Cancelled"
    _wait_until_final(system, asked, DeploymentStatus.CANCELLED)
    record = system.registry.deployments.get(asked.correlation_id())
    assert record.stack_status == "UPDATE_ROLLBACK_COMPLETE"
    assert not _is_alive(_pid(asked))
    _nothing_is_left(system, ENVIRONMENT)


def test_promise_9_a_command_whose_engine_was_killed_is_ended_its_operation_adopted_and_nothing_started_twice(
    system: RehearsalSystem,
) -> None:
    """Of two: one is killed while its operation runs, the other before it has begun one."""
    system.aws.set_rules([{"match": f"interlock-{ENVIRONMENT}/R1", "Seconds": 15}])
    changing = ask(system.api_url, ENVIRONMENT, MODE + chain(0.1, 0.1, delay=5))
    early = ask(system.api_url, "command-killed", MODE + chain(0.1), parameters={"Mode": "slow"})
    began = time.time()
    early.wait_for_log("script ")
    kill_engine(early.flow_run_id)
    changing.wait_for_log("UPDATE_IN_PROGRESS")
    kill_engine(changing.flow_run_id)
    changing.wait_for_state("Succeeded")
    early.wait_for_state("Failed")
    assert "its process died" in changing.outcome()["reason"]
    assert early.outcome()["reason"] == "The command was killed before it changed the stack."
    for asked, environment, operations in ((changing, ENVIRONMENT, 1), (early, "command-killed", 0)):
        assert not _is_alive(_pid(asked))
        of_stack = [one for one in system.aws.operations() if one["stack"] == f"interlock-{environment}"]
        assert len([one for one in of_stack if one["started"] >= began]) == operations
        assert asked.log().count("Running the command") == 1
        _nothing_is_left(system, environment)


def _pid(asked: Asked) -> int:
    found = re.search(r"script (\d+) for", asked.log())
    assert found, asked.log()
    return int(found[1])


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _wait_until_final(system: RehearsalSystem, asked: Asked, status: DeploymentStatus) -> None:
    deadline = time.monotonic() + 120
    while not (record := system.registry.deployments.get(asked.correlation_id(), with_events=False)).status.is_final:
        assert time.monotonic() < deadline, record
        time.sleep(0.3)
    assert record.status == status, record


def _nothing_is_left(system: RehearsalSystem, environment: str) -> None:
    assert system.registry.holds.current(environment) is None
    assert system.registry.queue.waiting(environment) == []
