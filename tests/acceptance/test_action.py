"""The GitHub action, its steps run with a job's variables; and the lines that docs/ci.md gives for other CIs."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import Asked, chain
from tests.acceptance.composite import Runner

ENVIRONMENT = "action"
STACK = f"interlock-{ENVIRONMENT}"
JOB = {
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_REPOSITORY": "owner/shop",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_ACTOR": "alice",
}
PLANTED = '$(touch planted) `touch planted` "; touch planted; #'
TEMPLATE = "Parameters: {Note: {Type: String}}\n" + chain(0.1) + "\nOutputs: {Note: {Value: !Ref Note}}\n"
LONG = TEMPLATE + "# a remark of forty characters, and so on\n" * 1300


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Shared, so that the client is installed once."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def runner(temp: Path, tmp_path: Path) -> Runner:
    for name in ("click.py", "httpx.py", "interlock.py"):
        (tmp_path / name).write_text("raise SystemExit('taken from the workspace')", encoding="utf-8")
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    return Runner(temp, tmp_path, dict(JOB))


@pytest.fixture
def inputs(system: RehearsalSystem) -> Iterator[dict[str, str]]:
    yield {
        "environment": ENVIRONMENT,
        "template": "template.yaml",
        "parameters": "Note=plain\n",
        "prefect_api_url": system.api_url,
        "python": sys.executable,
    }
    system.aws.set_rules([])


def test_a_long_template_is_deployed_from_a_runner_without_any_aws_credentials(
    system: RehearsalSystem, runner: Runner, inputs: dict[str, str]
) -> None:
    (runner.workspace / "template.yaml").write_text(LONG, encoding="utf-8")
    system.aws.clear_log()
    code, log, outputs = runner.run(**inputs | {"parameters": f"\r\nNote={PLANTED}\r\n\n"})
    assert (code, outputs["status"]) == (0, "SUCCEEDED"), log
    assert json.loads(outputs["stack-outputs"]) == {"Note": PLANTED}
    assert not (runner.workspace / "planted").exists()
    record = system.registry.deployments.get(outputs["correlation-id"])
    digest = sha256(LONG.encode()).hexdigest()
    assert (record.template_sha256, record.git_sha, record.actor) == (digest, JOB["GITHUB_SHA"], "alice")
    assert record.github_run_url == "https://github.com/owner/shop/actions/runs/4711"
    assert outputs["flow-run-url"] == f"{system.ui_url}/runs/flow-run/{record.flow_run_id}"
    assert f"{ENVIRONMENT}: deployed" in runner.summary.read_text(encoding="utf-8")
    assert digest in json.dumps(system.aws.log()), "under its hash"


def test_an_environment_of_two_stacks_is_deployed_by_one_step(runner: Runner, inputs: dict[str, str]) -> None:
    (runner.workspace / "template.yaml").write_text(chain(0.1), encoding="utf-8")
    (runner.workspace / "network.yaml").write_text(TEMPLATE, encoding="utf-8")
    two = {"environment": "action-of-two", "templates": "interlock-action-network=network.yaml\n"}
    code, log, outputs = runner.run(**inputs | two)
    assert (code, outputs["status"]) == (0, "SUCCEEDED"), log
    assert json.loads(outputs["stack-outputs"]) == {"Note": "plain"}


def test_a_step_run_again_joins_its_run_and_a_job_run_again_asks_anew(
    system: RehearsalSystem, runner: Runner, inputs: dict[str, str]
) -> None:
    first, again = (runner.run(**inputs)[2] for _ in range(2))
    assert again == first
    runner.variables["GITHUB_RUN_ATTEMPT"] = "2"
    code, log, rerun = runner.run(**inputs)
    assert code == 0, log
    assert rerun["correlation-id"] != first["correlation-id"]
    assert system.registry.deployments.get(rerun["correlation-id"]).no_changes


def test_an_invalid_request_fails_the_step_with_an_annotation(runner: Runner, inputs: dict[str, str]) -> None:
    code, log, outputs = runner.run(**inputs | {"template": "absent.yaml"})
    assert (code, outputs["status"]) == (5, "INVALID")
    assert "::error title=Interlock::" in log
    assert "absent.yaml" in log


@pytest.mark.parametrize("section", ["GitLab CI", "Jenkins", "curl"])
def test_the_lines_for_other_cis_deploy(
    system: RehearsalSystem, section: str, runner: Runner, inputs: dict[str, str]
) -> None:
    assert inputs
    (runner.workspace / "template.yaml").write_text(chain(0.1), encoding="utf-8")
    values = {"PREFECT_API_URL": system.api_url, "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"}
    variables = dict.fromkeys(re.findall(r"\$\{?([A-Z_]+)", _lines_of(section)), f"of-the-ci-{section}")
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", _lines_of(section)],
        cwd=runner.workspace,
        env=variables | values | {"ENVIRONMENT": ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# The last one: its environment stays held until the cancelled operation has been turned back.
def test_a_cancelled_job_leaves_the_deployment_or_cancels_it_and_the_gateway_sees_it(
    system: RehearsalSystem, runner: Runner, inputs: dict[str, str]
) -> None:
    system.aws.set_rules([{"match": f"{STACK}/R0", "Seconds": 20}])
    (runner.workspace / "template.yaml").write_text(TEMPLATE.replace("DelaySeconds: 0", "DelaySeconds: 7"))
    code, seconds, left = _cancelled(system, runner, inputs | {"on_cancel": "leave"})
    assert (code, left["status"]) == (6, "STILL_RUNNING")
    assert seconds < 7.5, "then the runner would become rough"
    gateway = _interlock(system, "status", ENVIRONMENT, "--prefect")
    assert gateway.returncode == 2
    assert f"Deployment already in progress\n  Active          {left['correlation-id']}" in gateway.stdout
    # The same attempt joins it; this time its cancellation is the deployment's.
    code, seconds, cancelled = _cancelled(system, runner, inputs | {"on_cancel": "cancel"})
    assert (code, cancelled["status"]) == (4, "CANCELLING")
    assert cancelled["correlation-id"] == left["correlation-id"]
    assert seconds < 7.5
    run = Asked(system.api_url, cancelled["flow-run-url"].rpartition("/")[2]).wait()
    assert run["state_type"] == "CANCELLED"


def _lines_of(section: str) -> str:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {section}\n.*?```\w+\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert found, section
    if section == "GitLab CI":
        (job,) = yaml.safe_load(found[1]).values()
        return "\n".join(job["script"])
    script = re.search(r"sh '''\n(.*?)'''", found[1], re.DOTALL)
    return script[1].replace("\\\\", "\\") if script else found[1]  # as Groovy reads it


def _cancelled(system: RehearsalSystem, runner: Runner, inputs: dict[str, str]) -> tuple[int, float, dict[str, str]]:
    """GitHub's runner signals the step's own process alone. Seconds from the signal to its end."""
    install, step = (process for process in _started(runner, inputs))
    assert install.returncode == 0
    assert step.stdout is not None
    while "Correlation id:" not in (line := step.stdout.readline()):
        assert line, "it ended without a deployment"
    _wait_for_the_operation(system, line.split()[-1])
    signalled_at = time.monotonic()
    step.send_signal(signal.SIGINT)
    step.communicate(timeout=30)
    seconds = time.monotonic() - signalled_at
    text = runner.output.read_text(encoding="utf-8").splitlines()
    outputs = {line.partition("<<")[0]: text[number + 1] for number, line in enumerate(text) if "<<" in line}
    return step.returncode, seconds, outputs


def _started(runner: Runner, inputs: dict[str, str]) -> "Iterator[subprocess.Popen[str]]":
    steps = runner.steps(**inputs)
    install = next(steps)
    install.communicate(timeout=120)
    yield install
    yield next(steps)


def _wait_for_the_operation(system: RehearsalSystem, correlation_id: str) -> None:
    deadline = time.monotonic() + 60
    while not system.registry.deployments.get(correlation_id).has_begun:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _interlock(system: RehearsalSystem, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The client of a machine that knows Prefect's address, and nothing else."""
    return subprocess.run(
        [sys.executable, "-m", "interlock.cli", *arguments],
        env={"PREFECT_API_URL": system.api_url},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
