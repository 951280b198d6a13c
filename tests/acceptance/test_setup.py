"""`interlock setup`, twice, and a deployment by an ordinary Prefect worker of the work pool that it made."""

import subprocess
import sys
import time

import httpx
import pytest

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem
from interlock import processes
from tests.acceptance.asking import ask, chain


@pytest.fixture
def own_system() -> "RehearsalSystem":
    """A system of its own: setup takes its deployments from the runner and gives them to a work pool."""
    return RehearsalSystem({"worked": {}})


def test_setup_is_safe_to_repeat_and_a_worker_of_its_pool_deploys(own_system: RehearsalSystem) -> None:
    with own_system as system:
        first, second = (_interlock(system, "setup") for _ in range(2))
        assert "deploy/worked" in first
        assert "stall-sweep/scheduled" in first
        assert second.count("as it should be") == 1
        assert _names(system, "deployments") == ["scheduled", "scheduled", "worked"]
        assert _names(system, "v2/concurrency_limits") == ["environment-worked"]

        worker = processes.start(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "interlock"],
            environ=system.environment() | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
            cwd=ROOT,
        )
        try:
            asked = ask(system.api_url, "worked", chain(0.1))
            assert asked.wait(timeout_seconds=90)["state_name"] == "Succeeded", asked.log()
            assert asked.run()["work_pool_name"] == "interlock"
        finally:
            processes.stop(worker)


def _interlock(system: RehearsalSystem, *arguments: str) -> str:
    command = [sys.executable, "-m", "interlock.cli", *arguments]
    return subprocess.run(command, env=system.environment(), capture_output=True, text=True, check=True).stdout


def _names(system: RehearsalSystem, kind: str) -> list[str]:
    deadline = time.monotonic() + 10
    while True:
        answer = httpx.post(f"{system.api_url}/{kind}/filter", json={}, timeout=30)
        if answer.is_success or time.monotonic() > deadline:
            return sorted(each["name"] for each in answer.raise_for_status().json())
        time.sleep(0.5)
