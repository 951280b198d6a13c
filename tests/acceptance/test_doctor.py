"""`interlock doctor` on a system that is well, and on one with a part of it broken at a time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import ask, call, chain
from tests.roles import actions

ENVIRONMENT = "doctor"
NAMES = [
    "environments file",
    "Prefect client",
    "Prefect server",
    "Prefect version",
    "lease storage",
    "server settings",
    "access to the API",
    "clock and Prefect",
    "slots",
    "Prefect deployments",
    "schedules",
    "runner or worker",
    "registry",
    "AWS for doctor",
    "permissions for doctor",
    "clock and AWS",
    "template bucket",
    "log group",
    "Slack token",
    "Slack channels",
]
TABLE = (
    f'[environments.{ENVIRONMENT}]\nstack_name = "interlock-doctor"\nregion = "us-east-1"\nslack_channel = "#doctor"\n'
)
LOOKS_AT_A_BUCKET = {"HEAD": "s3:ListBucket", "GET": "s3:GetBucketVersioning"}

Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def environ(system: RehearsalSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Of an installation with one environment, which has deployed."""
    assert ask(system.api_url, ENVIRONMENT, chain(0.1)).wait()["state_name"] in ("Succeeded", "No Changes")
    file = tmp_path_factory.mktemp("doctor") / "environments.toml"
    file.write_text(TABLE)
    yield system.environment() | {"INTERLOCK_ENVIRONMENTS": str(file)}
    system.slack.set_faults()
    system.aws.set_faults([])


def test_a_healthy_installation_passes_every_check(system: RehearsalSystem, environ: dict[str, str]) -> None:
    before = len(system.aws.log())
    code, found = _doctor(environ)
    assert list(found) == NAMES
    assert (code, {each["level"] for each in found.values()}) == (0, {"ok", "not checked"}), found
    assert [name for name, each in found.items() if each["level"] == "not checked"] == [
        "permissions for doctor",  # the simulated AWS is called by an account's root
        "Slack channels",  # the local Slack lists none
    ]
    looks = [call["action"].partition(" ")[0] for call in system.aws.log()[before:] if call["service"] == "s3"]
    assert {LOOKS_AT_A_BUCKET[look] for look in looks} == actions("worker-role.yaml", "DoctorTemplates")


def test_for_people_each_check_is_a_line(environ: dict[str, str]) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "interlock.cli", "doctor"], env=environ, capture_output=True, text=True, check=True
    ).stdout
    assert [line for line in told.splitlines() if line.startswith("ok ") and "lease storage" in line]
    assert "xoxb-rehearsal" not in told


def test_a_slot_that_limits_nothing(system: RehearsalSystem, environ: dict[str, str]) -> None:
    slot = f"{system.api_url}/v2/concurrency_limits/environment-{ENVIRONMENT}"
    call("PATCH", slot, {"active": False})
    try:
        code, found = _doctor(environ)
    finally:
        call("PATCH", slot, {"active": True})
    _is_the_one_problem(code, found, "slots", "inactive", "interlock setup")


def test_a_registry_that_is_elsewhere(environ: dict[str, str], tmp_path: Path) -> None:
    code, found = _doctor(environ | {"INTERLOCK_REGISTRY": f"sqlite:///{tmp_path / 'moved.db'}"})
    _is_the_one_problem(code, found, "registry", "there is no registry", "INTERLOCK_REGISTRY")
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_slack_refuses(system: RehearsalSystem, environ: dict[str, str]) -> None:
    system.slack.set_faults({"method": "auth.test", "kind": "error", "error": "token_revoked", "times": None})
    try:
        code, found = _doctor(environ)
    finally:
        system.slack.set_faults()
    _is_the_one_problem(code, found, "Slack token", "token_revoked", "INTERLOCK_SLACK_TOKEN")
    assert found["Slack channels"]["seen"] == "Slack token comes first"


def test_a_role_that_may_not_be_assumed(system: RehearsalSystem, environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "environments.toml"
    file.write_text(TABLE + 'role_arn = "arn:aws:iam::123456789012:role/not-for-us"\n')
    refusal = {"service": "sts", "action": "AssumeRole", "kind": "error", "code": "AccessDenied", "status": 403}
    system.aws.set_faults([refusal | {"message": "not authorized to perform: sts:AssumeRole", "times": -1}])
    try:
        code, found = _doctor(environ | {"INTERLOCK_ENVIRONMENTS": str(file)})
    finally:
        system.aws.set_faults([])
    assert code == 1
    assert found["AWS for doctor"]["level"] == "problem"
    assert "trust policy" in found["AWS for doctor"]["mend"]


def test_a_server_that_is_away_leaves_the_other_checks_standing(environ: dict[str, str]) -> None:
    code, found = _doctor(environ | {"PREFECT_API_URL": "http://127.0.0.1:9/api"})
    _is_the_one_problem(code, found, "Prefect server", "does not answer", "interlock up")
    assert found["slots"]["level"] == "not checked"
    assert found["registry"]["level"] == "ok"


def test_a_wrong_environments_file_does_not_hide_the_rest(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "environments.toml"
    file.write_text(TABLE + "colour = 1\n")
    code, found = _doctor(environ | {"INTERLOCK_ENVIRONMENTS": str(file)})
    _is_the_one_problem(code, found, "environments file", "colour: unknown key", "Correct it")
    assert found["registry"]["level"] == "ok"


def _is_the_one_problem(code: int, found: Found, name: str, seen: str, mend: str) -> None:
    assert (code, [each for each, check in found.items() if check["level"] == "problem"]) == (1, [name]), found
    assert seen in found[name]["seen"]
    assert mend in found[name]["mend"]


def _doctor(environ: dict[str, str]) -> tuple[int, Found]:
    command = [sys.executable, "-m", "interlock.cli", "doctor", "--json"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout, ended.stderr
    report = json.loads(ended.stdout)
    assert report["healthy"] == (ended.returncode == 0)
    return ended.returncode, {check.pop("name"): check for check in report["checks"]}
