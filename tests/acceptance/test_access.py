"""A Prefect server with an auth string: nobody without it, everything with it. It listens on loopback here all the same."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from deployments.rehearsal_system import RehearsalSystem
from interlock.errors import ExitCode
from tests.acceptance.asking import chain

AUTH = "interlock:correct-horse-battery-staple"
USER, _, PASSWORD = AUTH.partition(":")


@pytest.fixture
def walled() -> RehearsalSystem:
    """A system of its own: the others' server asks nobody who he is."""
    return RehearsalSystem({"walled": {}}, api_auth=AUTH)


def test_a_deployment_by_those_who_have_the_auth_string_and_nothing_for_others(
    walled: RehearsalSystem, tmp_path: Path
) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(chain(0.1))
    with walled as system:
        listing = f"{system.api_url}/deployments/filter"
        assert httpx.post(listing, json={}, timeout=30).status_code == httpx.codes.UNAUTHORIZED
        assert httpx.post(listing, json={}, auth=(USER, "wrong"), timeout=30).status_code == httpx.codes.UNAUTHORIZED
        assert httpx.post(listing, json={}, auth=(USER, PASSWORD), timeout=30).is_success

        environ = system.environment()
        stranger = {name: value for name, value in environ.items() if name != "PREFECT_API_AUTH_STRING"}
        refused = _deploy(stranger, template)
        assert refused.returncode == ExitCode.NO_PREFECT
        assert "PREFECT_API_AUTH_STRING" in refused.stderr

        done = _deploy(environ, template)
        assert done.returncode == ExitCode.SUCCEEDED, done.stderr
        assert PASSWORD not in done.stdout + done.stderr + refused.stderr
        assert [file for file in _files(system.home) if PASSWORD.encode() in file.read_bytes()] == []


def _deploy(environ: dict[str, str], template: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "interlock.cli", "deploy", "walled", "--template", str(template)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)


def _files(home: Path) -> list[Path]:
    """Logs, databases and all: what a person may send to somebody else."""
    return [path for path in home.rglob("*") if path.is_file()]
