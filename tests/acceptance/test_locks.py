"""Locked environments: who waits, who is turned away, who passes, and how a hold is taken from the dead."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from deployments.rehearsal_system import RehearsalSystem
from interlock.clock import utc_now
from interlock.correlation_id import new_correlation_id
from interlock.models.deployment import Deployment, DeploymentStatus
from tests.acceptance.asking import ask, chain, start

WAITING, REJECTING, FROZEN, TAKEN = "locked", "locked-rejecting", "frozen", "taken"


def interlock(system: RehearsalSystem, *arguments: str, expect: int = 0) -> str:
    command = [sys.executable, "-m", "interlock.cli", *arguments]
    done = subprocess.run(command, env=system.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(autouse=True)
def unlocked(system: RehearsalSystem) -> Iterator[None]:
    yield
    for environment in (WAITING, REJECTING):
        if lock := system.registry.locks.current(environment):
            system.registry.locks.unlock(lock, by="the test")


def test_a_request_waits_while_its_environment_is_locked_and_an_emergency_passes_it(system: RehearsalSystem) -> None:
    told = interlock(system, "lock", WAITING, "--reason", "audit", "--until", "2h", "--actor", "ada")
    assert "locked is locked by ada" in told
    waiting = ask(system.api_url, WAITING, chain(0.1))
    waiting.wait_for_log("Waiting: 0 ahead in the queue, and the environment is locked by ada")
    status = json.loads(interlock(system, "status", WAITING, "--json", expect=1))
    assert (status["reason"], status["can_deploy"]) == ("ENVIRONMENT_LOCKED", False)
    assert (status["lock"]["by"], status["lock"]["reason"]) == ("ada", "audit")

    emergency = ask(
        system.api_url, WAITING, chain(0.1, delay=1), override_lock_reason="the login is broken", actor="bob"
    )
    assert emergency.wait()["state_name"] == "Succeeded"
    assert "the login is broken" in interlock(system, "show", emergency.correlation_id())
    assert waiting.run()["state_type"] != "COMPLETED"

    interlock(system, "unlock", WAITING, "--actor", "ada")
    assert waiting.wait()["state_name"] == "Succeeded"
    audit = json.loads(interlock(system, "locks", WAITING, "--json"))
    assert audit["lock"] is None
    assert [event["event"] for event in audit["events"]] == [
        "ENVIRONMENT_UNLOCKED",
        "LOCK_OVERRIDDEN",
        "ENVIRONMENT_LOCKED",
    ]
    start(system.api_url, "deliver-messages/scheduled", {}).wait()
    told = "\n".join(each["text"] for each in system.slack.messages() if each["channel"].lstrip("#") == WAITING)
    for words in ("Environment Unlocked", "Lock overridden", "the login is broken"):
        assert words in told


def test_with_the_policy_reject_a_locked_environment_turns_away_and_names_the_lock(system: RehearsalSystem) -> None:
    interlock(system, "lock", REJECTING, "--reason", "audit", "--actor", "ada")
    asked = ask(system.api_url, REJECTING, chain(0.1))
    assert asked.wait()["state_name"] == "Rejected"
    outcome = asked.outcome()
    assert (outcome["exit_code"], outcome["locked"]) == (2, True)
    assert "locked by ada" in outcome["reason"]
    assert "audit" in outcome["reason"]


def test_a_lock_is_not_overridden_without_a_reason(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, REJECTING, chain(0.1), override_lock_reason=" ")
    assert asked.wait()["state_name"] == "Invalid"
    assert asked.outcome()["exit_code"] == 5


def test_promise_7_the_wait_for_a_freeze_window_ends_at_the_maximum_and_names_it(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, FROZEN, chain(0.1))
    assert asked.wait()["state_name"] == "Timed Out"
    outcome = asked.outcome()
    assert outcome["exit_code"] == 3
    assert outcome["queue_seconds"] < 10
    assert "the freeze window * * * * * (Europe/Berlin)" in outcome["reason"]


def test_a_lock_does_not_touch_what_is_deploying_and_neither_may_a_forced_release(system: RehearsalSystem) -> None:
    running = ask(system.api_url, WAITING, chain(0.1, 5, delay=3))
    running.wait_for_log("CloudFormation is carrying out")
    assert f"{running.correlation_id()} is deploying, and goes on" in interlock(
        system, "lock", WAITING, "--reason", "audit"
    )
    refusal = interlock(system, "release", WAITING, "--force", "--reason", "impatience", expect=1)
    assert "an operation runs" in refusal
    assert running.wait()["state_name"] == "Succeeded"


def test_a_hold_without_a_process_is_released_by_force_and_the_next_one_goes(system: RehearsalSystem) -> None:
    dead = hold_without_a_process(system)
    waiting = ask(system.api_url, TAKEN, chain(0.1))
    waiting.wait_for_log("Waiting: first in the queue")
    interlock(system, "release", TAKEN, "--reason", "it is dead", expect=5)
    interlock(system, "release", TAKEN, "--force", expect=5)
    assert "taken is free" in interlock(system, "release", TAKEN, "--force", "--reason", "it is dead", "--actor", "ada")
    assert waiting.wait()["state_name"] == "Succeeded"
    record = system.registry.deployments.get(dead)
    assert record.status is DeploymentStatus.FAILED
    assert "HOLD_RELEASED_BY_FORCE" in [event.event for event in record.events]
    assert "by ada: it is dead" in (record.reason or "")
    assert "Nobody has taken" in interlock(system, "release", TAKEN, "--force", "--reason", "it is dead")


def hold_without_a_process(system: RehearsalSystem) -> str:
    now, registry = utc_now(), system.registry
    one = Deployment(
        correlation_id=new_correlation_id(now),
        environment=TAKEN,
        stack_name=f"interlock-{TAKEN}",
        region="us-east-1",
        started_at=now,
        updated_at=now,
        asked_at=now,
    )
    registry.deployments.register(one)
    registry.queue.enqueue(TAKEN, one.correlation_id, now, lifetime_seconds=3600)
    registry.holds.claim(TAKEN, one.correlation_id, lifetime_seconds=3600, stack_is_quiet=True)
    return one.correlation_id
