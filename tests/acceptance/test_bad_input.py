"""A person's mistakes: one paragraph, the right exit code, no traceback, nothing left behind."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import chain

MUTATING = {"CreateChangeSet", "ExecuteChangeSet", "CreateStack", "UpdateStack", "DeleteStack", "DeleteChangeSet"}


def interlock(*arguments: str, environ: Mapping[str, str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "interlock.cli", *arguments],
        env=dict(environ),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def explained(done: subprocess.CompletedProcess[str], exit_code: int, *words: str) -> None:
    """The exit code, an error that says these words, and no traceback."""
    said = done.stdout + done.stderr
    assert done.returncode == exit_code, said
    assert "Traceback" not in said
    for word in words:
        assert word in said


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(chain(0.1))
    return path


def test_an_unknown_environment_is_named_with_those_that_exist(system: RehearsalSystem, template: Path) -> None:
    done = interlock("deploy", "prodution", "--template", str(template), environ=system.environment())
    explained(done, 5, "prodution", "production")


def test_a_missing_template_file_is_named(system: RehearsalSystem) -> None:
    done = interlock("deploy", "staging", "--template", "/no/such/file.yaml", environ=system.environment())
    explained(done, 5, "/no/such/file.yaml")


def test_a_template_over_cloudformations_limit_is_refused_before_anything_is_touched(
    system: RehearsalSystem, tmp_path: Path
) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("# " + "x" * 1024 * 1024 + "\n" + chain(0.1))
    before = len(_mutations(system))
    explained(interlock("deploy", "staging", "--template", str(path), environ=system.environment()), 5, "1,048,576")
    assert len(_mutations(system)) == before


def test_all_problems_of_a_request_are_listed_at_once_and_nothing_is_touched(
    system: RehearsalSystem, tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "Parameters: {Size: {Type: Number}}\nResources: {B: {Type: AWS::S3::Bucket, Properties: {Nmae: x}}}\n"
    )
    before = len(_mutations(system))
    done = interlock(
        "deploy", "staging", "--template", str(path), "--parameter", "Colour=red", environ=system.environment()
    )
    explained(done, 5, "Colour", "Size", "Nmae")
    assert len(_mutations(system)) == before


def test_a_malformed_environments_file_is_explained_with_every_problem(tmp_path: Path) -> None:
    path = tmp_path / "environments.toml"
    path.write_text('[environments.a]\nstack_name = "s"\nregion = "eu-west-1"\ncolour = "red"\nmax_wait_minutes = -1\n')
    done = interlock("up", "--home", str(tmp_path / "home"), environ=os.environ | {"INTERLOCK_ENVIRONMENTS": str(path)})
    explained(done, 5, "environments.a.colour", "environments.a.max_wait_minutes")


def test_a_registry_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    registry = f"sqlite:///{tmp_path / 'file' / 'registry.db'}"
    done = interlock("history", "staging", environ=os.environ | {"INTERLOCK_REGISTRY": registry})
    assert done.returncode in (1, 5)
    explained(done, done.returncode, "registry.db")


def test_a_home_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    explained(interlock("up", "--home", str(tmp_path / "file" / "home"), environ=os.environ), 5, "home", "--home")


def test_no_prefect_server_is_exit_code_7(template: Path) -> None:
    environ = os.environ | {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
    done = interlock("deploy", "staging", "--template", str(template), environ=environ)
    explained(done, 7, "http://127.0.0.1:9/api")


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        environ = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
        done = interlock("up", "--home", str(tmp_path / "home"), "--port", port, environ=environ)
    explained(done, 1, port, "--port")


def test_a_wrong_registry_address_is_explained() -> None:
    done = interlock("history", "staging", environ=os.environ | {"INTERLOCK_REGISTRY": "mysql://x"})
    explained(done, 5, "mysql://x", "sqlite:///", "dynamodb://")


def test_an_unknown_correlation_id_is_explained(system: RehearsalSystem) -> None:
    done = interlock("show", "20260101-000000-00000000", environ=system.environment())
    explained(done, 5, "20260101-000000-00000000")


def test_without_aws_credentials_the_deployment_says_so_and_holds_nothing(
    system: RehearsalSystem, template: Path
) -> None:
    """The environment `no-credentials` assumes a role that the worker may not assume."""
    system.aws.set_faults(
        [
            {
                "service": "sts",
                "action": "AssumeRole",
                "kind": "error",
                "code": "AccessDenied",
                "status": 403,
                "times": -1,
            }
        ]
    )
    try:
        done = interlock("deploy", "no-credentials", "--template", str(template), environ=system.environment())
    finally:
        system.aws.set_faults([])
    explained(done, 1, "role_arn")
    status = interlock("status", "no-credentials", "--json", environ=system.environment())
    assert '"queue": []' in status.stdout


def _mutations(system: RehearsalSystem) -> list[str]:
    """On the stack of `staging`; other tests' deployments may still be under way."""
    log = [each for each in system.aws.log() if "interlock-staging" in (each["stack"] or "")]
    return [each["action"] for each in log if each["action"] in MUTATING]
