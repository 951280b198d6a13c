"""Deployments that do not go well leave slot, hold, queue and record as promised."""

import time
from collections.abc import Iterator

import httpx
import pytest

from deployments.rehearsal_system import RehearsalSystem
from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import NoticeKind
from interlock.plain_http import NO_CERTIFICATES
from interlock.registry import Registry, open_registry
from interlock.timing import SLOT_LEASE_SECONDS
from tests.acceptance.asking import Asked, ask, chain
from tests.acceptance.engines import kill_engine

ENVIRONMENT = "endings"
STACK = f"interlock-{ENVIRONMENT}"


@pytest.fixture
def registry(system: RehearsalSystem) -> Registry:
    return open_registry(system.environment()["INTERLOCK_REGISTRY"])


@pytest.fixture(autouse=True)
def no_rules(system: RehearsalSystem) -> Iterator[None]:
    yield
    system.aws.set_rules([])


def test_a_failing_deployment_rolls_back_names_its_first_cause_and_leaves_nothing_held(
    system: RehearsalSystem, registry: Registry
) -> None:
    system.aws.set_rules([{"match": f"{STACK}/R1", "Seconds": 0.2, "Fail": "Resource limit exceeded for R1"}])
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1))
    assert asked.wait()["state_name"] == "Rolled Back"
    outcome = asked.outcome()
    assert outcome["exit_code"] == 1
    assert outcome["first_cause"]["logical_id"] == "R1"
    assert "Resource limit exceeded for R1" in outcome["reason"]
    _nothing_is_left(system, registry)


def test_the_stack_that_was_never_created_is_made_anew(system: RehearsalSystem, registry: Registry) -> None:
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1))
    assert asked.wait()["state_name"] == "Succeeded"
    assert asked.outcome()["record"]["stack_status"] == "CREATE_COMPLETE"
    _nothing_is_left(system, registry)


def test_the_same_again_is_a_success_with_no_changes(system: RehearsalSystem, registry: Registry) -> None:
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1))
    assert asked.wait()["state_name"] == "No Changes"
    assert asked.outcome()["exit_code"] == 0
    _nothing_is_left(system, registry)


def test_a_stalled_deployment_is_reported_keeps_its_hold_and_ends_when_it_moves_again(
    system: RehearsalSystem, registry: Registry
) -> None:
    system.aws.set_rules([{"match": f"{STACK}/R2", "Stall": True}])
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1, delay=5))
    asked.wait_for_log("may be stalled")
    hold = registry.holds.current(ENVIRONMENT)
    assert hold is not None
    assert hold.owner == asked.correlation_id()
    assert _active_slots(system) == 1
    system.aws.set_rules([])
    assert asked.wait()["state_name"] == "Succeeded"
    kinds = [row.notice.kind for row in registry.outbox.rows(asked.correlation_id())]
    assert kinds.count(NoticeKind.STALLED) == 1
    assert kinds.count(NoticeKind.MOVING_AGAIN) == 1
    _nothing_is_left(system, registry)


def test_a_cancelled_update_is_rolled_back_and_on_record_as_cancelled(
    system: RehearsalSystem, registry: Registry
) -> None:
    system.aws.set_rules([{"match": f"{STACK}/R1", "Seconds": 15}])
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1, delay=9))
    asked.wait_for_log("CloudFormation is carrying out")
    asked.cancel()
    assert asked.wait()["state_name"] == "Cancelled"
    record = _wait_until_final(registry, asked)
    assert record == DeploymentStatus.CANCELLED
    assert registry.deployments.get(asked.correlation_id()).stack_status == "UPDATE_ROLLBACK_COMPLETE"
    _nothing_is_left(system, registry)


def test_the_slot_of_a_killed_engine_is_given_back_long_before_its_lease_would_end(
    system: RehearsalSystem, registry: Registry
) -> None:
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 8, 0.1, delay=10))
    asked.wait_for_log("CloudFormation is carrying out")
    lease_id = registry.deployments.get(asked.correlation_id()).slot_lease_id
    lease = f"{system.api_url}/v2/concurrency_limits/leases/{lease_id}/renew"
    assert httpx.post(lease, json={}, verify=NO_CERTIFICATES).is_success
    kill_engine(asked.flow_run_id)
    deadline = time.monotonic() + SLOT_LEASE_SECONDS / 3
    while httpx.post(lease, json={}, verify=NO_CERTIFICATES).status_code != httpx.codes.GONE:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    asked.wait_for_state("Succeeded")  # adopted meanwhile
    _nothing_is_left(system, registry)


def test_a_waiting_deployment_that_is_cancelled_leaves_the_queue_at_once(
    system: RehearsalSystem, registry: Registry
) -> None:
    first = ask(system.api_url, ENVIRONMENT, chain(0.1, 6, 0.1, delay=11))
    first.wait_for_log("It is our turn")
    second = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, 0.1, delay=12))
    second.wait_for_log("Waiting")
    second.cancel()
    assert _wait_until_final(registry, second) == DeploymentStatus.CANCELLED
    assert registry.queue.waiting(ENVIRONMENT) == []
    assert first.wait()["state_name"] == "Succeeded"
    assert second.wait()["state_name"] == "Cancelled"
    _nothing_is_left(system, registry)


def test_a_wait_ends_at_the_environments_maximum_with_its_own_status(system: RehearsalSystem) -> None:
    """`impatient` waits 6 seconds at most."""
    first = ask(system.api_url, "impatient", chain(0.1, 15))
    first.wait_for_log("It is our turn")
    second = ask(system.api_url, "impatient", chain(0.1, 0.1, delay=1))
    assert second.wait()["state_name"] == "Timed Out"
    assert second.outcome()["exit_code"] == 3
    assert second.outcome()["queue_seconds"] < 10
    assert first.wait()["state_name"] == "Succeeded"


def test_with_the_policy_reject_a_second_request_is_told_who_is_active(system: RehearsalSystem) -> None:
    first = ask(system.api_url, "rejecting", chain(0.1, 5))
    first.wait_for_log("It is our turn")
    second = ask(system.api_url, "rejecting", chain(0.1, 0.1, delay=1))
    assert second.wait()["state_name"] == "Rejected"
    outcome = second.outcome()
    assert outcome["exit_code"] == 2
    assert "Deployment already in progress" in outcome["reason"]
    assert first.correlation_id() in outcome["reason"]
    assert first.wait()["state_name"] == "Succeeded"


def test_with_the_policy_latest_a_newer_request_supersedes_the_waiting_one_but_not_the_running_one(
    system: RehearsalSystem,
) -> None:
    system.aws.set_rules(
        [{"match": "interlock-latest/R1", "Stall": True}]
    )  # the first lasts until the second has ended
    try:
        first = ask(system.api_url, "latest", chain(0.1, 0.1))
        first.wait_for_log("It is our turn")
        second = ask(system.api_url, "latest", chain(0.1, 0.1, delay=1))
        second.wait_for_log("Waiting")
        third = ask(system.api_url, "latest", chain(0.1, 0.1, delay=2))
        assert second.wait()["state_name"] == "Superseded"
    finally:
        system.aws.set_rules([{"match": "interlock-latest/R1", "Seconds": 0, "Stall": False}])
    assert second.outcome()["exit_code"] == 4
    assert third.correlation_id() in second.outcome()["reason"]
    assert first.wait()["state_name"] == "Succeeded"
    assert third.wait()["state_name"] == "Succeeded"


def _wait_until_final(registry: Registry, asked: Asked) -> DeploymentStatus:
    deadline = time.monotonic() + 90
    while not (record := registry.deployments.get(asked.correlation_id(), with_events=False)).status.is_final:
        assert time.monotonic() < deadline, record
        time.sleep(0.3)
    return record.status


def _nothing_is_left(system: RehearsalSystem, registry: Registry) -> None:
    assert registry.holds.current(ENVIRONMENT) is None
    assert registry.queue.waiting(ENVIRONMENT) == []
    deadline = time.monotonic() + 10
    while _active_slots(system) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert _active_slots(system) == 0


def _active_slots(system: RehearsalSystem) -> int:
    answer = httpx.get(f"{system.api_url}/v2/concurrency_limits/environment-{ENVIRONMENT}", timeout=30)
    return int(answer.raise_for_status().json()["active_slots"])
