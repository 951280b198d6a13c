"""The fire drill: any ordinary template goes through the whole job; a bad one is refused with all its problems."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem
from deployments.rehearse.drill import Drill
from deployments.rehearse.rehearse import FAILURE, Rehearsal, rehearse
from interlock.cloudformation.lint import lint
from interlock.errors import InvalidRequestError
from tests.acceptance.leftovers import Mark

TEMPLATES = ROOT.parent / "shared" / "data" / "templates"
REAL = sorted(path for path in TEMPLATES.rglob("*.y*ml") if "bad" not in path.parts)
BAD = sorted((TEMPLATES / "cfn-lint" / "bad").rglob("*.y*ml"))
ABSENT = [pytest.param(None, marks=pytest.mark.skip("no recorded templates here"))]
MUTATING = {"CreateChangeSet", "ExecuteChangeSet", "CreateStack", "UpdateStack", "DeleteStack", "DeleteChangeSet"}
INLINE_BYTES = 51_200
SMALL = """
Parameters: {Name: {Type: String}}
Resources:
  First: {Type: AWS::SQS::Queue}
  Second: {Type: AWS::SNS::Topic, DependsOn: First, Properties: {DisplayName: !Ref Name}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Action: 'sts:AssumeRole', Principal: {Service: lambda.amazonaws.com}}]
"""


@pytest.fixture(autouse=True)
def empty_account(system: RehearsalSystem) -> Iterator[None]:
    """Each template finds no stack of the one before."""
    system.empty_account()
    yield
    system.empty_account()


def drilled(system: RehearsalSystem, drill: Drill) -> Rehearsal:
    return rehearse(system, drill, io.StringIO())


def values_for(body: str) -> dict[str, str]:
    """For the parameters that have no default."""
    declared = (Drill(body).document().get("Parameters") or {}).items()
    return {name: some_value(spec) for name, spec in declared if "Default" not in spec}


def some_value(spec: dict[str, Any]) -> str:
    """A value that the parameter's declaration allows."""
    if spec.get("AllowedValues"):
        return str(spec["AllowedValues"][0])
    if spec["Type"] == "Number":
        return str(spec.get("MinValue", 1))
    candidates = ("Abcdefgh1234", "10.0.0.0/16", "a@example.com", "abcdefgh", "example.com", "12")
    return next(value for value in candidates if _matches(str(spec.get("AllowedPattern", ".*")), value))


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error:  # some of AWS's own patterns are Java's alone
        return True


@pytest.mark.parametrize("path", REAL or ABSENT, ids=lambda path: path.stem)
def test_a_real_template_goes_through_the_whole_job(system: RehearsalSystem, path: Path) -> None:
    body = path.read_text()
    found = drilled(system, Drill(body, values_for(body)))
    if len(body.encode()) > INLINE_BYTES:
        assert found.outcome.exit_code == 5
        assert "must come from S3" in found.outcome.problems[0]
        return
    assert found.outcome.exit_code == 0, found.outcome.facts
    assert found.resources
    assert "Deployment Started" in found.messages[0]
    assert "Deployment Complete" in found.messages[-1]
    for standin in found.standins:
        assert standin["reason"]


@pytest.mark.parametrize("path", BAD or ABSENT, ids=lambda path: path.stem)
def test_a_bad_template_is_an_invalid_request_before_anything_is_changed(system: RehearsalSystem, path: Path) -> None:
    body = path.read_text()
    found = drilled(system, Drill(body, values_for(body)))
    assert found.outcome.exit_code == 5
    assert found.outcome.problems
    assert set(lint(body, "us-east-1").errors) <= set(found.outcome.problems)
    assert not MUTATING & {call["action"] for call in system.aws.log()}


def test_all_parameters_without_a_value_and_unknown_resources_are_told_at_once(system: RehearsalSystem) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        drilled(system, Drill(SMALL.replace("{Name:", "{Other: {Type: Number}, Name:"), fail="Third"))
    told = "\n".join(refusal.value.problems)
    assert "--fail Third" in told
    assert "First, Role, Second" in told
    assert "parameters/Name" in told
    assert "parameters/Other" in told
    assert system.aws.log() == []


def test_a_rehearsed_failure_is_named_as_the_first_cause(system: RehearsalSystem) -> None:
    found = drilled(system, Drill(SMALL, {"Name": "x"}, fail="Second"))
    assert found.outcome.exit_code == 1
    assert found.outcome.status == "ROLLED_BACK"
    assert found.outcome.first_cause["logical_id"] == "Second"
    assert found.outcome.first_cause["reason"] == FAILURE
    assert {each.logical_id: each.status for each in found.resources}["Second"] == "CREATE_FAILED"


def test_a_rehearsed_stall_is_reported_lifted_and_the_deployment_ends(system: RehearsalSystem) -> None:
    found = drilled(system, Drill(SMALL, {"Name": "x"}, stall="Second"))
    assert found.outcome.exit_code == 0
    assert "Interlock reported the stall" in (found.stall or "")
    assert any("may be stalled" in message for message in found.messages)


def test_a_stall_of_a_type_that_may_be_silent_for_long_ends_in_bounded_time_and_says_why(
    system: RehearsalSystem,
) -> None:
    hook = "  Hook: {Type: 'Custom::Hook', Properties: {ServiceToken: !GetAtt Role.Arn}}\n"
    found = drilled(system, Drill(SMALL + hook, {"Name": "x"}, stall="Hook"))
    assert found.outcome.exit_code == 0
    assert "may be silent for" in (found.stall or "")
    assert "Hook" in {each["logical_id"] for each in found.standins}


def test_the_command_reports_in_json_and_leaves_nothing_behind(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (template := tmp_path / "small.yaml").write_text(SMALL)
    arguments = ["rehearse", "deploy", "--template", str(template), "--parameter", "Name=x", "--seconds", "0", "--json"]
    scratch, mark = tmp_path_factory.mktemp("scratch"), Mark()
    done = subprocess.run(
        [sys.executable, "-m", "interlock.cli", *arguments],
        env={**os.environ, **mark.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["status"] == "SUCCEEDED"
    assert report["capabilities_granted"] == ["CAPABILITY_IAM"]
    assert {each["logical_id"] for each in report["resources"]} == {"First", "Role", "Second"}
    assert "Deployment Complete" in report["messages"][-1]
    assert mark.processes() == []
    assert list(scratch.iterdir()) == []


def test_the_command_refuses_what_cannot_be_rehearsed_without_starting_anything(tmp_path: Path) -> None:
    (template := tmp_path / "small.yaml").write_text(SMALL)
    done = subprocess.run(
        [sys.executable, "-m", "interlock.cli", "rehearse", "deploy", "--template", str(template)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5
    assert "parameters/Name" in done.stderr
    assert "Starting" not in done.stderr
    assert "Traceback" not in done.stderr
