"""A Prefect server with an auth string, on loopback here all the same: nobody without it, everything with it; `setup` too."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem
from interlock import processes
from interlock.errors import ExitCode
from tests.acceptance.asking import chain

ENVIRONMENT = "walled"
AUTH = "interlock:correct-horse-battery-staple"
USER, _, PASSWORD = AUTH.partition(":")


@pytest.fixture(scope="module")
def walled() -> Iterator[RehearsalSystem]:
    """A system of its own: the others' server asks nobody who he is, and setup takes its deployments from the runner."""
    with RehearsalSystem({ENVIRONMENT: {}}, api_auth=AUTH) as running:
        yield running


def test_a_deployment_by_those_who_have_the_auth_string_and_nothing_for_others(
    walled: RehearsalSystem, tmp_path: Path
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(chain(0.1))
    listing = f"{walled.api_url}/deployments/filter"
    assert httpx.post(listing, json={}, timeout=30).status_code == httpx.codes.UNAUTHORIZED
    assert httpx.post(listing, json={}, auth=(USER, "wrong"), timeout=30).status_code == httpx.codes.UNAUTHORIZED
    assert httpx.post(listing, json={}, auth=(USER, PASSWORD), timeout=30).is_success

    environ = walled.environment()
    stranger = {name: value for name, value in environ.items() if name != "PREFECT_API_AUTH_STRING"}
    refused = _interlock(stranger, "deploy", ENVIRONMENT, "--template", str(template))
    assert refused.returncode == ExitCode.NO_PREFECT
    assert "PREFECT_API_AUTH_STRING" in refused.stderr

    done = _interlock(environ, "deploy", ENVIRONMENT, "--template", str(template))
    assert done.returncode == ExitCode.SUCCEEDED, done.stderr
    assert PASSWORD not in done.stdout + done.stderr + refused.stderr
    assert [file for file in _files(walled.home) if PASSWORD.encode() in file.read_bytes()] == []


def test_setup_is_safe_to_repeat_and_a_worker_of_its_pool_deploys(walled: RehearsalSystem, tmp_path: Path) -> None:
    environ = walled.environment()
    first, second = (_interlock(environ, "setup") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert f"deploy/{ENVIRONMENT}" in first.stdout
    assert "stall-sweep/scheduled" in first.stdout
    assert second.stdout.count("as it should be") == 1
    assert _names(walled, "deployments") == ["scheduled", "scheduled", ENVIRONMENT]
    assert _names(walled, "v2/concurrency_limits") == [f"environment-{ENVIRONMENT}"]

    worker = processes.start(
        [sys.executable, "-m", "prefect", "worker", "start", "--pool", "interlock"],
        environ=environ | {"PREFECT_WORKER_QUERY_SECONDS": "1"},
        cwd=ROOT,
    )
    template = tmp_path / "template.yaml"
    template.write_text(chain(0.1, 0.1))
    try:
        done = _interlock(environ, "deploy", ENVIRONMENT, "--template", str(template))
    finally:
        processes.stop(worker)
    assert done.returncode == ExitCode.SUCCEEDED, done.stdout + done.stderr
    ended = [run for run in _listed(walled, "flow_runs") if run["state_name"] == "Succeeded"]
    assert sorted(str(run["work_pool_name"]) for run in ended) == ["None", "interlock"], (
        "the runner's, then the worker's"
    )


def _interlock(environ: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "interlock.cli", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


def _names(system: RehearsalSystem, kind: str) -> list[str]:
    return sorted(each["name"] for each in _listed(system, kind))


def _listed(system: RehearsalSystem, kind: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + 10
    while True:
        answer = httpx.post(f"{system.api_url}/{kind}/filter", json={}, auth=(USER, PASSWORD), timeout=30)
        if answer.is_success or time.monotonic() > deadline:
            listed: list[dict[str, Any]] = answer.raise_for_status().json()
            return listed
        time.sleep(0.5)


def _files(home: Path) -> list[Path]:
    """Logs, databases and all: what a person may send to somebody else."""
    return [path for path in home.rglob("*") if path.is_file()]
