"""Many requests at once: one operation at a time on each stack, and in the order in which they were asked for."""

from collections import defaultdict
from datetime import datetime
from itertools import pairwise
from typing import Any

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import Asked, ask, chain

CROWD = {"crowd-a": 8, "crowd-b": 4, "crowd-c": 4}


def test_promise_1_a_crowd_of_requests_is_carried_out_one_by_one_in_the_order_of_asking(
    system: RehearsalSystem,
) -> None:
    asked: dict[str, list[Asked]] = defaultdict(list)
    for number in range(max(CROWD.values())):
        for environment, count in CROWD.items():
            if number < count:
                asked[environment].append(ask(system.api_url, environment, chain(0.3, 0.3, delay=number)))

    for requests in asked.values():
        for request in requests:
            assert request.wait(timeout_seconds=240)["state_name"] == "Succeeded", request.log()

    for environment, requests in asked.items():
        operations = _operations(system, f"interlock-{environment}")
        in_order = sorted(requests, key=lambda each: each.run()["created"])
        assert [each["token"] for each in operations] == [each.correlation_id() for each in in_order]
        _no_two_overlap(operations)
        _no_execution_before_the_previous_end(system, f"interlock-{environment}", operations)


def _operations(system: RehearsalSystem, stack: str) -> list[dict[str, Any]]:
    return sorted(
        (each for each in system.aws.operations() if each["stack"] == stack), key=lambda each: each["started"]
    )


def _no_two_overlap(operations: list[dict[str, Any]]) -> None:
    for before, after in pairwise(operations):
        assert before["ended"] is not None
        assert before["ended"] <= after["started"]


def _no_execution_before_the_previous_end(
    system: RehearsalSystem, stack: str, operations: list[dict[str, Any]]
) -> None:
    """AWS's own request log is the witness."""
    executions = [
        each["t"]
        for each in system.aws.log()
        if each["action"] == "ExecuteChangeSet" and stack in (each["stack"] or "")
    ]
    assert len(executions) == len(operations)
    for before, execution in zip(operations, executions[1:], strict=False):
        assert execution >= before["ended"]


def test_times_in_the_record_are_in_order(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, "crowd-a", chain(0.1, delay=77))
    asked.wait()
    record = asked.outcome()["record"]
    moments = [
        datetime.fromisoformat(record[name]) for name in ("asked_at", "started_at", "deploying_since", "finished_at")
    ]
    assert moments == sorted(moments)
