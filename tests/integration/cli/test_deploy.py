"""`interlock deploy` as a process, against a real Prefect server and a flow that keeps the contract."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from interlock import processes
from interlock.errors import InvalidRequestError, PrefectUnreachableError, UnknownEnvironmentError
from interlock.prefect_api import PrefectApi

_CLI = [sys.executable, "-m", "interlock.cli"]
_FLOW = Path(__file__).with_name("standin_flow.py")


@pytest.fixture(scope="module")
def environ(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    own = {"PREFECT_API_URL": prefect_server, "PREFECT_HOME": str(tmp_path_factory.mktemp("client"))}
    settings = {
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.3",
        "PYTHONPATH": str(Path.cwd()),
    }
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "GITHUB_"))}
    return {**outside, **own, **settings, "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false"}


@pytest.fixture(scope="module")
def environment(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An environment that is served by the stand-in."""
    name, log = "cli-tests", tmp_path_factory.mktemp("served") / "flow.log"
    api = PrefectApi(environ)
    served = processes.start([sys.executable, str(_FLOW), name], environ=environ, log=log)
    try:
        processes.wait_until(lambda: _is_known(api, name), served, what="The stand-in", timeout_seconds=60, log=log)
        yield name
    finally:
        processes.stop(served, grace_seconds=2)


def _is_known(api: PrefectApi, name: str) -> bool:
    try:
        return bool(api.deployment_id(name))
    except (UnknownEnvironmentError, PrefectUnreachableError):
        return False


Deploy = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(environment: str, tmp_path: Path) -> list[str]:
    template = tmp_path / "stack.yaml"
    template.write_text("Resources: {}", encoding="utf-8")
    return [*_CLI, "deploy", environment, "--template", str(template), "--actor", "alice"]


@pytest.fixture
def deploy(command: list[str], environ: dict[str, str]) -> Deploy:
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *options], env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_a_deployment_is_followed_to_its_outcome(deploy: Deploy) -> None:
    done = deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "asked for by alice: 13 characters" in done.stdout
    assert "Resource1 CREATE_COMPLETE" in done.stdout
    assert re.search(r"[012] of 2 resources, \d+ %", done.stdout), done.stdout  # said once, whenever it is first seen
    assert "✔ cli-tests: deployed" in done.stdout
    assert "Finished in state" not in done.stdout


def test_the_outcome_is_told_within_a_second_of_the_runs_end(deploy: Deploy, environ: dict[str, str]) -> None:
    done = deploy("--json")
    ended_at = time.time()
    document = json.loads(done.stdout)
    body = _flow_run(environ, document["flow_run_id"])
    delay = ended_at - _epoch(body["end_time"])
    assert document["outputs"] == {"Url": "http://x.test"}
    assert delay < 1.5, f"{delay:.2f} s after the run's end"


@pytest.mark.parametrize(
    ("options", "exit_code", "status"),
    [
        (["--parameter", "End=ROLLED_BACK"], 1, "ROLLED_BACK"),
        (["--parameter", "End=TIMED_OUT", "--parameter", "Outcome=no"], 3, "TIMED_OUT"),
    ],
)
def test_the_exit_code_follows_the_end(deploy: Deploy, options: list[str], exit_code: int, status: str) -> None:
    done = deploy("--json", *options)
    assert done.returncode == exit_code, done.stderr
    assert json.loads(done.stdout)["status"] == status


@pytest.mark.slow
def test_a_run_that_is_killed_is_told_as_crashed(deploy: Deploy) -> None:
    done = deploy("--json", "--parameter", "Die=yes")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["status"] == "CRASHED"
    assert "left no outcome" in document["reason"]


def test_a_timeout_leaves_the_deployment_going_and_it_can_be_cancelled(deploy: Deploy, environ: dict[str, str]) -> None:
    done = deploy("--parameter", "Seconds=60", "--parameter", "Steps=60", "--timeout", "0.1")
    assert done.returncode == 6
    told = next(line for line in done.stdout.splitlines() if line.strip().startswith("Cancel"))
    correlation_id = told.split()[-1]
    cancelled = subprocess.run(
        [*_CLI, "cancel", correlation_id], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert cancelled.returncode == 0, cancelled.stderr
    run = PrefectApi(environ).flow_run_of(correlation_id)
    assert run.is_being_cancelled


def test_ctrl_c_and_sigterm_end_the_client_alone(command: list[str], environ: dict[str, str]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        client = subprocess.Popen(
            [*command, "--parameter", "Seconds=4"],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert client.stdout is not None
        client.stdout.readline()  # the run has been asked for
        client.send_signal(number)
        output, error = client.communicate(timeout=30)
        assert client.returncode == 6
        assert "The deployment goes on" in output
        assert "Traceback" not in error


def test_a_key_used_twice_joins_one_run(deploy: Deploy) -> None:
    first, second = (json.loads(deploy("--json", "--no-wait", "--idempotency-key", "once").stdout) for _ in range(2))
    assert first["flow_run_id"] == second["flow_run_id"]


def test_a_template_of_cloudformations_whole_length_travels_in_the_request(command: list[str], deploy: Deploy) -> None:
    template = Path(command[command.index("--template") + 1])
    template.write_text("# 9 bytes\n" * 100_000, encoding="utf-8")
    done = deploy()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1000000 characters" in done.stdout


def test_more_than_prefect_takes_is_refused_with_the_way_out(environ: dict[str, str], environment: str) -> None:
    api = PrefectApi(environ)
    asked = {"environment": environment, "template": "x" * 2_100_000}
    with pytest.raises(InvalidRequestError, match=r"less than 2,000,000 bytes.*s3://bucket/key"):
        api.create_flow_run(api.deployment_id(environment), asked, idempotency_key="too-long")


def test_an_unknown_environment_is_told_with_the_known_ones(environ: dict[str, str], command: list[str]) -> None:
    wrong = [*command]
    wrong[wrong.index("cli-tests")] = "cli-test"
    done = subprocess.run(wrong, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 5
    assert "cli-tests" in done.stderr


def test_nobody_at_the_address_is_exit_code_7(environ: dict[str, str], command: list[str]) -> None:
    away = {**environ, "PREFECT_API_URL": f"http://127.0.0.1:{processes.free_port()}/api"}
    done = subprocess.run(command, env=away, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 7
    assert "interlock up" in done.stderr
    assert "Traceback" not in done.stderr


def _flow_run(environ: dict[str, str], flow_run_id: str) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(f"{environ['PREFECT_API_URL']}/flow_runs/{flow_run_id}", trust_env=False).json()
    return body


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
