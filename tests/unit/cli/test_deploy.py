import io
import json
from pathlib import Path
from typing import Any

import pytest

from interlock.errors import DeploymentNotFoundError, PrefectUnreachableError
from interlock.prefect_values import FlowRun
from tests.unit.cli.conftest import Interlock
from tests.unit.cli.fake_prefect import CORRELATION_ID, RUN_ID, FakePrefect, line, outcome, run


def asked(prefect: FakePrefect) -> dict[str, Any]:
    (created,) = prefect.created
    parameters: dict[str, Any] = created["parameters"]
    return parameters


def test_a_files_text_is_sent_with_all_that_was_asked(
    interlock: Interlock, prefect: FakePrefect, template: str, tmp_path: Path
) -> None:
    prefect.found["interlock-outcome"] = outcome()
    file = tmp_path / "parameters.json"
    file.write_text('{"Size": 3, "Public": true, "Zones": ["a", "b"], "Image": "old"}', encoding="utf-8")
    options = (
        "--parameter",
        "Image=a=b",
        "--parameters-file",
        file,
        "--capability",
        "CAPABILITY_IAM",
        "--tag",
        "team=x",
    )
    about = ("--git-sha", "abc", "--actor", "alice", "--workflow-run-id", "7", "--github-run-url", "https://ci.test/7")
    assert interlock("deploy", "staging", "--template", template, *options, *about) == 0
    assert asked(prefect) == {
        "environment": "staging",
        "template": "Resources: {}\n",
        "parameters": {"Image": "a=b", "Size": "3", "Public": "true", "Zones": "a,b"},
        "capabilities": ["CAPABILITY_IAM"],
        "tags": {"team": "x"},
        "git_sha": "abc",
        "actor": "alice",
        "workflow_run_id": "7",
        "github_run_url": "https://ci.test/7",
    }


def test_each_stack_before_the_last_has_its_template_sent_too(
    interlock: Interlock, prefect: FakePrefect, template: str, tmp_path: Path
) -> None:
    prefect.found["interlock-outcome"] = outcome()
    (tmp_path / "network.yaml").write_text("Resources: {Vpc: {}}")
    others = ("--template-of", f"network={tmp_path / 'network.yaml'}", "--template-of", "data=s3://bucket/data.yaml")
    assert interlock("deploy", "staging", "--template", template, *others) == 0
    assert asked(prefect)["templates"] == {"network": "Resources: {Vpc: {}}", "data": "s3://bucket/data.yaml"}


def test_a_plain_secret_of_any_stack_is_refused_before_anything_is_sent(
    interlock: Interlock, prefect: FakePrefect, template: str, tmp_path: Path
) -> None:
    (tmp_path / "data.yaml").write_text("Parameters: {Key: {Type: String, NoEcho: true}}\nResources: {}\n")
    others = ("--template-of", f"data={tmp_path / 'data.yaml'}", "--parameter", "Key=planted")
    assert interlock("deploy", "staging", "--template", template, *others) == 5
    assert prefect.created == []


@pytest.mark.parametrize("address", ["s3://bucket/stack.yaml", "https://templates.test/stack.yaml"])
def test_an_address_is_passed_on_as_it_is(interlock: Interlock, prefect: FakePrefect, address: str) -> None:
    prefect.found["interlock-outcome"] = outcome()
    assert interlock("deploy", "staging", "--template", address) == 0
    assert asked(prefect)["template"] == address


def test_a_dash_is_standard_input(interlock: Interlock, prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch) -> None:
    prefect.found["interlock-outcome"] = outcome()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Resources: {}")))
    assert interlock("deploy", "staging", "--template", "-") == 0
    assert asked(prefect)["template"] == "Resources: {}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (1024 * 1024 + 1), "1,048,577 bytes"),
    ],
)
def test_a_template_that_cannot_be_sent_is_an_invalid_request(
    *,
    interlock: Interlock,
    prefect: FakePrefect,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    told: str,
) -> None:
    path = tmp_path / "stack.yaml"
    if content is not None:
        path.write_bytes(content)
    assert interlock("deploy", "staging", "--template", path) == 5
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert prefect.created == []


def test_all_wrong_parameters_are_told_at_once_and_no_value_is_repeated(
    interlock: Interlock, prefect: FakePrefect, template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "parameters.json"
    file.write_text('{"Deep": {"a": "planted-1"}}', encoding="utf-8")
    options = (
        "--parameters-file",
        file,
        "--parameter",
        "planted-2",
        "--parameter",
        "A=planted-3",
        "--parameter",
        "A=b",
    )
    assert interlock("deploy", "staging", "--template", template, *options) == 5
    error = capsys.readouterr().err
    assert "3 problems" in error
    assert "Deep: must be a string" in error
    assert "--parameter number 1: must be KEY=VALUE" in error
    assert "--parameter A: given twice" in error
    assert "planted" not in error
    assert prefect.created == []


def test_the_aws_clis_list_of_parameters_is_taken(
    interlock: Interlock, prefect: FakePrefect, template: str, tmp_path: Path
) -> None:
    prefect.found["interlock-outcome"] = outcome()
    file = tmp_path / "parameters.json"
    file.write_text('[{"ParameterKey": "Image", "ParameterValue": "1"}]', encoding="utf-8")
    assert interlock("deploy", "staging", "--template", template, "--parameters-file", file) == 0
    assert asked(prefect)["parameters"] == {"Image": "1"}


@pytest.mark.parametrize(
    ("facts", "exit_code", "told"),
    [
        ({"duration_seconds": 12.4, "queue_seconds": 0.3}, 0, "✔ staging: deployed in 12 s\n"),
        ({"no_changes": True, "duration_seconds": 2}, 0, "✔ staging: nothing to change in 2 s"),
        ({"status": "FAILED", "exit_code": 1, "reason": "no such role"}, 1, "no such role"),
        ({"status": "ROLLED_BACK", "exit_code": 1}, 1, "✘ staging: deployment failed and was rolled back"),
        ({"status": "REJECTED", "exit_code": 2}, 2, "Deployment already in progress"),
        ({"status": "TIMED_OUT", "exit_code": 3}, 3, "waited too long"),
        ({"status": "SUPERSEDED", "exit_code": 4}, 4, "superseded by a newer request"),
        ({"status": "CANCELLED", "exit_code": 4}, 4, "cancelled"),
        ({"status": "INVALID", "exit_code": 5, "problems": ["Resources/A: wrong"]}, 5, "    - Resources/A: wrong"),
    ],
)
def test_the_outcome_decides_the_exit_code_and_is_told(
    *,
    interlock: Interlock,
    prefect: FakePrefect,
    template: str,
    capsys: pytest.CaptureFixture[str],
    facts: dict[str, Any],
    exit_code: int,
    told: str,
) -> None:
    prefect.found["interlock-outcome"] = outcome(**facts)
    assert interlock("deploy", "staging", "--template", template) == exit_code
    output = capsys.readouterr().out
    assert told in output
    assert CORRELATION_ID in output
    assert f"http://prefect.test/runs/flow-run/{RUN_ID}" in output


def test_a_failure_is_told_by_its_first_cause_and_a_hint(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cause = {"logical_id": "Bucket", "resource_type": "AWS::S3::Bucket", "reason": "exists", "hint": "Another name."}
    prefect.found["interlock-outcome"] = outcome(
        status="FAILED", exit_code=1, first_cause=cause, reason="Bucket: exists"
    )
    assert interlock("deploy", "staging", "--template", template) == 1
    output = capsys.readouterr().out
    assert "First cause     Bucket (AWS::S3::Bucket): exists" in output
    assert "Another name." in output
    assert f"interlock show {CORRELATION_ID}" in output


def test_a_failure_is_told_with_what_was_found_out_and_the_next_step(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cause = {"logical_id": "Web", "resource_type": "AWS::ECS::Service", "reason": "did not stabilize"}
    prefect.found["interlock-outcome"] = outcome(
        status="FAILED",
        exit_code=1,
        first_cause=cause,
        reason="Web: did not stabilize",
        also_failed=[{"logical_id": "Topic"}],
        next_step="Repair Db, run `aws cloudformation continue-update-rollback`",
        diagnosis=[{"text": "2 stopped tasks: exit code 1", "url": "https://console.example/ecs"}],
    )
    assert interlock("deploy", "staging", "--template", template) == 1
    output = capsys.readouterr().out
    assert "Also failed     Topic" in output
    assert "continue-update-rollback" in output
    assert "2 stopped tasks: exit code 1 https://console.example/ecs" in output


@pytest.mark.parametrize(
    ("final", "exit_code"),
    [
        (run("COMPLETED"), 0),
        (run("FAILED"), 1),
        (run("CRASHED"), 1),
        (run("CANCELLED"), 4),
        (run("FAILED", words="Timed Out"), 3),
        (run("CANCELLED", words="Rejected"), 2),
        (run("FAILED", words="Rolled Back"), 1),
    ],
)
def test_without_an_outcome_the_state_decides_and_that_is_told(
    *,
    interlock: Interlock,
    prefect: FakePrefect,
    template: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    final: FlowRun,
    exit_code: int,
) -> None:
    monkeypatch.setattr(
        "interlock.cli.outcome._WAIT_SECONDS", dict.fromkeys(("COMPLETED", "FAILED", "CRASHED", "CANCELLED"), 0)
    )
    prefect.states = [final]
    assert interlock("deploy", "staging", "--template", template) == exit_code
    assert "It left no outcome" in capsys.readouterr().out


def test_a_run_that_is_set_going_again_is_followed_on(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def end() -> FlowRun:
        prefect.found["interlock-outcome"] = outcome()
        return run("COMPLETED")

    prefect.states = [run("CRASHED"), run("SCHEDULED", words="AwaitingRetry"), run("RUNNING"), end]
    assert interlock("deploy", "staging", "--template", template) == 0
    assert "another one sees the deployment through" in capsys.readouterr().out


def test_a_request_with_problems_is_told_by_them_alone(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {
        "status": "FAILED",
        "exit_code": 5,
        "problems": ["Resources/A: wrong"],
        "reason": "Invalid request: 1 problem.",
    }
    prefect.found["interlock-outcome"] = outcome(**facts)
    assert interlock("deploy", "staging", "--template", template) == 5
    output = capsys.readouterr().out
    assert "✘ staging: invalid request" in output
    assert "Reason" not in output


def test_json_is_one_document_with_the_outcome_whole(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prefect.lines = [line("hello")]
    prefect.found["interlock-outcome"] = outcome(outputs={"Url": "x"}, record={"stack_name": "s"}, later_fact=1)
    assert interlock("deploy", "staging", "--template", template, "--json") == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["status"] == "SUCCEEDED"
    assert document["outputs"] == {"Url": "x"}
    assert document["record"] == {"stack_name": "s"}
    assert document["later_fact"] == 1
    assert document["flow_run_id"] == RUN_ID
    assert document["flow_run_url"].endswith(RUN_ID)
    assert "hello" in captured.err


@pytest.mark.parametrize(
    ("error", "status", "exit_code"),
    [(PrefectUnreachableError("away"), "UNREACHABLE", 7), (DeploymentNotFoundError("gone"), "INVALID", 5)],
)
def test_json_tells_an_error_too(
    *,
    interlock: Interlock,
    prefect: FakePrefect,
    template: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: str,
    exit_code: int,
) -> None:
    def refuse(_environment: str) -> str:
        raise error

    monkeypatch.setattr(prefect, "deployment_id", refuse)
    assert interlock("deploy", "staging", "--template", template, "--json") == exit_code
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["exit_code"]) == (status, exit_code)


def test_no_wait_asks_and_leaves(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("deploy", "staging", "--template", template, "--no-wait") == 0
    assert prefect.looks == 0
    assert f"interlock cancel {RUN_ID}" in capsys.readouterr().out


def test_ctrl_c_tells_that_the_deployment_goes_on(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> FlowRun:
        raise KeyboardInterrupt

    prefect.states = [run("RUNNING"), interrupt]
    assert interlock("deploy", "staging", "--template", template) == 6
    output = capsys.readouterr().out
    assert "The deployment goes on without this client." in output
    assert f"interlock cancel {CORRELATION_ID}" in output
    assert f"interlock show {CORRELATION_ID}" in output


def test_two_requests_of_one_client_have_different_keys(
    interlock: Interlock, prefect: FakePrefect, template: str
) -> None:
    prefect.found["interlock-outcome"] = outcome()
    interlock("deploy", "staging", "--template", template)
    interlock("deploy", "staging", "--template", template)
    assert prefect.created[0]["key"] != prefect.created[1]["key"]


def test_a_given_key_is_used(interlock: Interlock, prefect: FakePrefect, template: str) -> None:
    prefect.found["interlock-outcome"] = outcome()
    interlock("deploy", "staging", "--template", template, "--idempotency-key", "mine")
    assert prefect.created[0]["key"] == "mine"


def test_log_lines_cannot_command_the_terminal_or_the_ci(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prefect.lines = [line("red \x1b[31malert\x1b]0;title\x07\n::error::planted\n ##[error]planted")]
    prefect.found["interlock-outcome"] = outcome(status="FAILED", exit_code=1, reason="::add-mask::x")
    interlock("deploy", "staging", "--template", template)
    output = capsys.readouterr().out
    assert "\x1b" not in output
    assert "\x07" not in output
    assert "##[" not in output
    assert not any(text.strip().startswith("::") for text in output.splitlines())


def test_a_plain_value_of_a_no_echo_parameter_is_never_sent(
    interlock: Interlock, prefect: FakePrefect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "secret.yaml"
    path.write_text("Parameters: {Pw: {Type: String, NoEcho: true}}\nResources: {R: !Ref Pw}", encoding="utf-8")
    asked = ("deploy", "staging", "--template", path, "--parameter")
    assert interlock(*asked, "Pw=hunter2") == 5
    told = capsys.readouterr()
    assert "parameters/Pw" in told.err
    assert "secret:<name>" in told.err
    assert "hunter2" not in told.out + told.err
    assert prefect.created == []
    prefect.found["interlock-outcome"] = outcome()
    assert interlock(*asked, "Pw=secret:app") == 0
    assert interlock(*asked, "Pw={{resolve:ssm-secure:/app:1}}") == 0


def test_deploy_passes_the_override_and_its_reason_on(
    interlock: Interlock, prefect: FakePrefect, template: str
) -> None:
    interlock("deploy", "staging", "--template", template, "--override-lock", "--reason", " the login is broken ")
    assert prefect.created[0]["parameters"]["override_lock_reason"] == "the login is broken"


def test_deploy_without_an_override_asks_as_before(interlock: Interlock, prefect: FakePrefect, template: str) -> None:
    interlock("deploy", "staging", "--template", template)
    assert "override_lock_reason" not in prefect.created[0]["parameters"]


def test_deploy_asks_for_the_drift_only_where_that_is_wanted(
    interlock: Interlock, prefect: FakePrefect, template: str
) -> None:
    interlock("deploy", "staging", "--template", template)
    interlock("deploy", "staging", "--template", template, "--show-drift")
    assert "show_drift" not in prefect.created[0]["parameters"]
    assert prefect.created[1]["parameters"]["show_drift"] is True


@pytest.mark.parametrize("options", [["--override-lock"], ["--override-lock", "--reason", " "], ["--reason", "why"]])
def test_deploy_refuses_an_override_without_a_reason_and_a_reason_without_an_override(
    interlock: Interlock, prefect: FakePrefect, template: str, options: list[str]
) -> None:
    assert interlock("deploy", "staging", "--template", template, *options) == 5
    assert prefect.created == []
