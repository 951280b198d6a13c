"""Thirty secrets of every kind are planted; afterwards everything that anybody could read is searched for them."""

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import Asked, ask
from tests.acceptance.plants import ASKED_MARK, BUCKET, COUNT, MARK, PLANTS, REFUSED
from tests.acceptance.test_bad_input import interlock

ENVIRONMENT = "secrets"
STACK = f"interlock-{ENVIRONMENT}"
MARKS = (MARK, ASKED_MARK)


def client(system: RehearsalSystem, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # of several services
        endpoint_url=system.aws.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(scope="module")
def planted(system: RehearsalSystem) -> RehearsalSystem:
    manager, store, buckets = (client(system, service) for service in ("secretsmanager", "ssm", "s3"))
    buckets.create_bucket(Bucket=BUCKET)
    for delay in (0, 1):
        buckets.put_object(Bucket=BUCKET, Key=f"{delay}.json", Body=PLANTS.template(delay=delay).encode())
    with temporary_settings({PREFECT_API_URL: system.api_url}):
        for number in range(COUNT):
            text = json.dumps({"user": "app", "password": PLANTS.secrets_manager[number]})
            manager.create_secret(Name=f"planted/{number:02}", SecretString=text)
            value = PLANTS.parameter_store[number]
            store.put_parameter(Name=f"/planted/{number:02}", Value=value, Type="SecureString")
            Secret(value=PLANTS.blocks[number]).save(f"planted-{number:02}")
    return system


@pytest.fixture(autouse=True)
def good_weather(system: RehearsalSystem) -> Iterator[None]:
    yield
    system.aws.set_rules([])
    system.aws.set_faults([])


def ask_for(system: RehearsalSystem, *, delay: int) -> Asked:
    return ask(system.api_url, ENVIRONMENT, f"s3://{BUCKET}/{delay}.json", parameters=PLANTS.request)


def test_nothing_that_is_told_of_deployments_holds_a_secret(planted: RehearsalSystem, tmp_path: Path) -> None:
    told = _deploy_from_ci(planted, tmp_path)
    assert _reached_aws(planted)
    runs = [_refused(planted), _rolled_back(planted), _refused_change_set(planted)]
    told |= _commands(planted, runs[1].correlation_id())
    told |= {f"log of {run.flow_run_id}": run.log() for run in runs}
    told |= {"Slack": json.dumps(planted.slack.messages(), ensure_ascii=False)}
    assert "****" in told["Slack"]
    assert [name for name, text in told.items() if any(mark in text for mark in MARKS)] == []
    assert _files_with(planted.home, MARK) == []
    assert _columns_with(planted.home / "prefect" / "prefect.db", ASKED_MARK) == {"flow_run.parameters"}
    others = [file for file in _files_with(planted.home, ASKED_MARK) if not file.startswith("prefect/prefect.db")]
    assert others == []


def test_a_missing_secret_ends_the_deployment_before_anything_is_touched(system: RehearsalSystem) -> None:
    template = json.dumps({**json.loads(REFUSED), "Parameters": {"P00": {"Type": "String", "NoEcho": True}}})
    system.aws.clear_log()
    missing = ask(system.api_url, ENVIRONMENT, template, parameters={"P00": "secret:no-such-secret"})
    assert missing.wait()["state_name"] == "Invalid"
    outcome = missing.outcome()
    assert outcome["exit_code"] == 5
    for word in ("secret:no-such-secret", "Prefect's Secret blocks", ENVIRONMENT, missing.correlation_id()):
        assert word in outcome["reason"]
    fault = {"service": "secretsmanager", "action": "GetSecretValue", "kind": "error", "code": "AccessDeniedException"}
    system.aws.set_faults([{**fault, "message": "not authorized", "status": 400, "times": -1}])
    denied = ask(system.api_url, ENVIRONMENT, template, parameters={"P00": "secret:app"})
    assert denied.wait()["state_name"] == "Failed"
    assert denied.outcome()["exit_code"] == 1
    assert "secretsmanager:GetSecretValue" in denied.outcome()["reason"]
    assert not {"CreateChangeSet", "DeleteStack"} & {call["action"] for call in system.aws.log()}


def _deploy_from_ci(system: RehearsalSystem, directory: Path) -> dict[str, str]:
    """By the command line, in a GitHub job; what it prints and writes."""
    file, summary, output = (directory / name for name in ("parameters.json", "summary.md", "output.txt"))
    file.write_text(json.dumps(PLANTS.request), encoding="utf-8")
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output)}
    address = f"s3://{BUCKET}/0.json"
    done = interlock(
        "deploy", ENVIRONMENT, "--template", address, "--parameters-file", str(file), "--json",
        environ=system.environment() | github,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outputs = json.loads(done.stdout)["outputs"]
    assert outputs["NamedPassword00"] == "****"
    assert outputs["Echo00"] == "app://**** **** **** **** **** ****"
    assert len(outputs) == 2 * COUNT
    assert "stack-outputs" in output.read_text()
    return {
        "deploy": done.stdout + done.stderr,
        "step summary": summary.read_text(encoding="utf-8"),
        "step outputs": output.read_text(encoding="utf-8"),
    }


def _reached_aws(system: RehearsalSystem) -> bool:
    """What is hidden from people is what the stack was made with."""
    (stack,) = client(system, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    kinds = (PLANTS.secrets_manager, PLANTS.parameter_store, PLANTS.blocks, PLANTS.defaults, PLANTS.file, PLANTS.asked)
    return all(
        outputs[f"Echo{number:02}"] == "app://" + " ".join(kind[number] for kind in kinds) for number in range(COUNT)
    )


def _refused(system: RehearsalSystem) -> Asked:
    """With curl alone, so that Prefect has the plain values; and by the command line, which keeps them."""
    plain = {f"P{number:02}": value for number, value in enumerate(PLANTS.refused)}
    asked = ask(system.api_url, ENVIRONMENT, REFUSED, parameters=plain)
    assert asked.wait()["state_name"] == "Invalid"
    assert len(asked.outcome()["problems"]) == COUNT
    assert "rotate it" in asked.outcome()["reason"]
    return asked


def _rolled_back(system: RehearsalSystem) -> Asked:
    """The failing resource quotes them all, and so does an answer of the API."""
    system.aws.set_rules([{"match": f"{STACK}/R1", "Seconds": 1, "Fail": PLANTS.quoted}])
    fault = {"service": "cloudformation", "action": "DescribeStackEvents", "kind": "error", "code": "Throttling"}
    system.aws.set_faults([{**fault, "message": PLANTS.quoted, "status": 400, "times": 4}])
    asked = ask_for(system, delay=1)
    assert asked.wait()["state_name"] == "Rolled Back"
    assert "****, ****" in asked.outcome()["first_cause"]["reason"]
    return asked


def _refused_change_set(system: RehearsalSystem) -> Asked:
    fault = {"service": "cloudformation", "action": "CreateChangeSet", "kind": "error", "code": "ValidationError"}
    system.aws.set_faults([{**fault, "message": PLANTS.quoted, "status": 400}])
    asked = ask_for(system, delay=1)
    assert asked.wait()["state_name"] == "Failed"
    assert "****, ****" in asked.outcome()["reason"]
    return asked


def _commands(system: RehearsalSystem, correlation_id: str) -> dict[str, str]:
    commands = (
        ("show", correlation_id),
        ("show", correlation_id, "--json"),
        ("history", ENVIRONMENT, "--json"),
        ("status", ENVIRONMENT, "--json"),
    )
    done = {" ".join(command): interlock(*command, environ=system.environment()) for command in commands}
    assert "****" in done[f"show {correlation_id}"].stdout
    return {name: each.stdout + each.stderr for name, each in done.items()}


def _files_with(home: Path, mark: str) -> list[str]:
    """Every file of the system: registry, Prefect's database with its freed pages, the logs of all processes.

    Not the environments file, which is where some of the secrets come from.
    """
    files = [Path(folder) / name for folder, _, names in os.walk(home) for name in names]
    found = [file for file in files if file.name != "environments.toml" and mark.encode() in _bytes(file)]
    return sorted(str(file.relative_to(home)) for file in found)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # it has just been removed, or is a socket
        return b""


def _columns_with(database: Path, mark: str) -> set[str]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {found for table in tables for found in _in_table(connection, table, mark)}


def _in_table(connection: sqlite3.Connection, table: str, mark: str) -> Iterator[str]:
    rows = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - a name that the database gave
    columns = [column[0] for column in rows.description]
    for row in rows:
        yield from (f"{table}.{name}" for name, value in zip(columns, row, strict=True) if mark in str(value))
