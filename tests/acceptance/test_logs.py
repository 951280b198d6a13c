"""One deployment's log, read back from CloudWatch Logs by its correlation id, tells the story from request to end."""

import json
import time
from typing import Any

import pytest

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import Asked, ask, chain
from tests.acceptance.conftest import LOG_GROUP
from tests.acceptance.engines import kill_engine
from tests.integration.logs.insights import story
from tests.integration.rehearsal_driver import client

ENVIRONMENT = "logged"
ENDS = [
    "DEPLOYMENT_REQUESTED",
    "DEPLOYMENT_STARTED",
    "DEPLOYMENT_REQUESTED",
    "DEPLOYMENT_STARTED",
    "DEPLOYMENT_SUCCEEDED",
]
Line = dict[str, Any]


@pytest.fixture(scope="module")
def deployed(system: RehearsalSystem) -> Asked:
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1), actor="ci")
    assert asked.wait()["state_name"] == "Succeeded", asked.log()
    return asked


@pytest.fixture(scope="module")
def told(system: RehearsalSystem, deployed: Asked) -> list[Line]:
    return _until_its_end(system, deployed.correlation_id())


def _until_its_end(system: RehearsalSystem, correlation_id: str) -> list[Line]:
    """The last lines may come after the run's end."""
    deadline = time.monotonic() + 15
    while True:
        lines = story(client(system.aws, "logs"), LOG_GROUP, correlation_id)
        if any(str(line.get("event", "")).startswith("DEPLOYMENT_SUCCEEDED") for line in lines):
            return lines
        assert time.monotonic() < deadline, lines
        time.sleep(0.5)


def test_the_story_goes_from_the_request_to_the_end(told: list[Line]) -> None:
    events = [line["event"] for line in told if "event" in line]
    order = [
        "DEPLOYMENT_REQUESTED",
        "TURN_TAKEN",
        "CHANGE_SET_CREATED",
        "DEPLOYMENT_STARTED",
        "SQS_QUEUE_CREATE_COMPLETE",
        "DEPLOYMENT_SUCCEEDED",
    ]
    assert [event for event in events if event in order and events.count(event) == 1] == [
        event for event in order if event != "SQS_QUEUE_CREATE_COMPLETE"
    ]
    assert events.count("SQS_QUEUE_CREATE_COMPLETE") == 2


def test_every_line_says_whose_it_is(told: list[Line], deployed: Asked) -> None:
    correlation_id = deployed.correlation_id()
    assert {line["@logStream"] for line in told} == {f"{ENVIRONMENT}/{correlation_id}"}
    for line in told:
        assert (line["correlation_id"], line["environment"], line["stack_name"]) == (
            correlation_id,
            ENVIRONMENT,
            f"interlock-{ENVIRONMENT}",
        ), line
    assert {line["flow_run_id"] for line in told} >= {deployed.flow_run_id}


def test_the_runs_page_marks_each_line_of_the_deployment(deployed: Asked) -> None:
    mark = f"[{deployed.correlation_id()}] "
    lines = deployed.log().splitlines()
    first = next(number for number, line in enumerate(lines) if "Deployment " in line and "(stack" in line)
    assert all(line.startswith(mark) for line in lines[first:]), lines


def test_the_processes_write_json_beside_it(system: RehearsalSystem, deployed: Asked) -> None:
    lines, mark = (system.home / "flows.log").read_text(encoding="utf-8").splitlines(), deployed.correlation_id()
    own = [json.loads(line) for line in lines if mark in line]
    assert "DEPLOYMENT_SUCCEEDED" in {line.get("event") for line in own}


def test_a_deployment_whose_log_nobody_takes_succeeds_as_soon(system: RehearsalSystem) -> None:
    system.aws.set_faults([{"kind": "hang", "service": "logs", "times": -1}])
    try:
        asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1))
        assert asked.wait(timeout_seconds=60)["state_name"] == "Succeeded"
    finally:
        system.aws.set_faults([])


def test_the_story_of_a_deployment_whose_process_was_killed_goes_on_to_its_end(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 4, delay=7))
    asked.wait_for_log("carrying out")
    kill_engine(asked.flow_run_id)
    asked.wait_for_state("Succeeded")
    lines = _until_its_end(system, asked.correlation_id())
    own = f"{ENVIRONMENT}/{asked.correlation_id()}"
    assert [line["event"] for line in lines if line["@logStream"] == own and line.get("event") in ENDS] == ENDS
    hook = [line for line in lines if line["@logStream"] == "runner"]
    assert any("adopted" in line["message"] for line in hook), lines
    assert {line["correlation_id"] for line in hook} == {asked.correlation_id()}
