"""A person's approval: asked for with the changes in hand, waited for without the environment, bound to those changes."""

import json
import subprocess
import sys
import time

import httpx
import pytest

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem
from interlock.models.approval import Decision
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.notice import NoticeKind
from interlock.registry import Registry
from tests.acceptance.asking import Asked, ask, chain, sweep

ENVIRONMENT = "approvals"


@pytest.fixture
def registry(system: RehearsalSystem) -> Registry:
    return system.registry


def test_changes_approved_by_an_api_call_are_made_when_it_is_their_turn(
    system: RehearsalSystem, registry: Registry
) -> None:
    asked = _ask(system, chain(0.1, 0.1))
    _wait_for_approval(asked)
    assert registry.holds.current(ENVIRONMENT) is None
    assert registry.queue.waiting(ENVIRONMENT) == []
    assert _active_slots(system) == 0
    assert _record(registry, asked).status is DeploymentStatus.QUEUED
    assert asked.resume(decision="approve") == "REJECT", "Prefect insists on who"
    assert asked.resume(decision="approve", actor="ada") == "ACCEPT"
    assert asked.wait()["state_name"] == "Succeeded"
    record = _record(registry, asked)
    assert record.approval is not None
    assert (record.approval.decision, record.approval.decided_by) == (Decision.APPROVE, "ada")
    happened = [event.event for event in record.events]
    assert happened.index("APPROVAL_REQUESTED") < happened.index("APPROVED") < happened.index("DEPLOYMENT_STARTED")
    assert "DEPLOYMENT_ADOPTED" not in happened
    assert [row.notice.kind for row in registry.outbox.rows(record.correlation_id)].count(NoticeKind.APPROVED) == 1


def test_nothing_to_change_needs_no_approval(system: RehearsalSystem) -> None:
    assert _ask(system, chain(0.1, 0.1)).wait()["state_name"] == "No Changes"


def test_denied_changes_are_never_made_and_it_says_who_and_why(system: RehearsalSystem, registry: Registry) -> None:
    asked = _ask(system, chain(0.1, 0.1, delay=1))
    _wait_for_approval(asked)
    done = _interlock(system, "deny", asked.correlation_id(), "--actor", "ada", "--reason", "Not on a Friday.")
    assert done.returncode == 0, done.stderr
    assert asked.wait()["state_name"] == "Denied"
    outcome = asked.outcome()
    assert (outcome["status"], outcome["exit_code"]) == ("DENIED", 4)
    assert "ada denied the changes: Not on a Friday." in outcome["reason"]
    assert "DEPLOYMENT_STARTED" not in [event.event for event in _record(registry, asked).events]
    refused = _interlock(system, "approve", asked.correlation_id())
    assert refused.returncode == 5
    assert "not paused" in refused.stderr


def test_another_deployment_goes_first_meanwhile_and_changes_that_differ_then_are_asked_about_again(
    system: RehearsalSystem, registry: Registry
) -> None:
    first = _ask(system, chain(0.1, 0.1, delay=2))
    _wait_for_approval(first)
    second = _ask(system, chain(0.1, 0.1, 0.1))
    _wait_for_approval(second)
    waiting = json.loads(_interlock(system, "status", ENVIRONMENT, "--json").stdout)
    assert waiting["can_deploy"]
    names = [each["correlation_id"] for each in waiting["awaiting_approval"]]
    assert names == [first.correlation_id(), second.correlation_id()]
    assert second.resume(decision="approve", actor="ada") == "ACCEPT"
    assert second.wait()["state_name"] == "Succeeded"
    assert _interlock(system, "approve", first.correlation_id(), "--actor", "ada").returncode == 0
    _wait_for_approval(first, round_=2)
    approval = _record(registry, first).approval
    assert approval is not None
    assert approval.is_pending
    done = _interlock(system, "approve", first.correlation_id(), "--changes", approval.hash[:12])
    assert done.returncode == 0, done.stderr
    assert first.wait()["state_name"] == "Succeeded"


def test_a_client_that_follows_says_how_to_approve_and_follows_on(system: RehearsalSystem) -> None:
    template = system.home / "approvals.yaml"
    template.write_text(chain(0.1, 0.1, delay=3), encoding="utf-8")
    client = subprocess.Popen(
        _command("deploy", ENVIRONMENT, "--template", str(template)),
        cwd=ROOT, env=system.environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert client.stdout is not None
    name = next(
        line.split("interlock approve ")[1].split("`")[0] for line in client.stdout if "`interlock approve" in line
    )
    assert _interlock(system, "approve", name, "--reason", "Looks right.").returncode == 0
    rest = client.communicate(timeout=60)[0]
    assert client.returncode == 0, rest
    assert "deployed in" in rest


def test_one_that_is_cancelled_while_it_waits_is_on_record_as_cancelled(
    system: RehearsalSystem, registry: Registry
) -> None:
    asked = _ask(system, chain(0.1, 0.1, delay=4))
    _wait_for_approval(asked)
    name = asked.correlation_id()
    assert _interlock(system, "cancel", name).returncode == 0
    assert asked.wait()["state_name"] == "Cancelled"
    deadline = time.monotonic() + 30
    while not _record(registry, asked).status.is_final:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert _record(registry, asked).status is DeploymentStatus.CANCELLED


def test_one_that_nobody_decides_about_in_time_expires(system: RehearsalSystem, registry: Registry) -> None:
    """3 seconds after it was asked for."""
    asked = ask(system.api_url, "approvals-soon-over", chain(0.1))
    _wait_for_approval(asked)
    time.sleep(3)
    sweep(system.api_url)
    assert asked.wait()["state_name"] == "Expired"
    assert _record(registry, asked).status is DeploymentStatus.EXPIRED
    assert (asked.outcome()["status"], asked.outcome()["exit_code"]) == ("EXPIRED", 4)


def _ask(system: RehearsalSystem, template: str) -> Asked:
    return ask(system.api_url, ENVIRONMENT, template)


def _wait_for_approval(asked: Asked, *, round_: int = 1, timeout_seconds: float = 60) -> None:
    deadline = time.monotonic() + timeout_seconds
    while asked.run()["state_name"] != "Suspended" or asked.log().count("wait for approval until") < round_:
        assert time.monotonic() < deadline, f"{asked.run()['state_name']}\n{asked.log()}"
        time.sleep(0.2)


def _record(registry: Registry, asked: Asked) -> Deployment:
    return registry.deployments.get(asked.correlation_id())


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "interlock.cli", *arguments]


def _interlock(system: RehearsalSystem, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        _command(*arguments),
        cwd=ROOT,
        env=system.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _active_slots(system: RehearsalSystem) -> int:
    answer = httpx.get(f"{system.api_url}/v2/concurrency_limits/environment-{ENVIRONMENT}", timeout=30)
    return int(answer.raise_for_status().json()["active_slots"])
