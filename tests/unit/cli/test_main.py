import importlib.metadata
import json
import os
import resource
import subprocess
import sys
from typing import NoReturn

import click
import pytest

from interlock.cli import main as cli
from tests.unit.cli.conftest import Interlock
from tests.unit.cli.fake_prefect import CORRELATION_ID, RUN_ID, FakePrefect

_HEAVY = ("prefect", "boto3", "botocore", "cfnlint", "httpx", "pydantic", "rich", "slack_sdk")
_PROBE = """
import json, sys
from interlock.cli.main import main
exit_code = main(sys.argv[1:])
print(json.dumps([exit_code, sorted(sys.modules)]), file=sys.stderr)
"""


def run_and_list_modules(*arguments: str) -> tuple[int, set[str], str]:
    done = subprocess.run([sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=True)
    exit_code, modules = json.loads(done.stderr.splitlines()[-1])
    return exit_code, {module.partition(".")[0] for module in modules}, done.stdout


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["--help"], 0),
        (["deploy", "--help"], 0),
        (["deploy", "staging", "--template", "/absent"], 5),
        (["--version"], 0),
    ],
)
def test_nothing_heavy_is_imported_to_start(arguments: list[str], exit_code: int) -> None:
    found, modules, _ = run_and_list_modules(*arguments)
    assert found == exit_code
    assert not modules & set(_HEAVY)


def test_neither_prefect_nor_aws_is_imported_to_deploy() -> None:
    # Nobody listens there: it comes as far as the first call.
    probe = f"import os; os.environ['PREFECT_API_URL'] = 'http://127.0.0.1:1/api'\n{_PROBE}"
    arguments = ["deploy", "staging", "--template", __file__]
    done = subprocess.run([sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True)
    exit_code, modules = json.loads(done.stderr.splitlines()[-1])
    assert exit_code == 7
    assert not {module.partition(".")[0] for module in modules} & {
        "prefect",
        "boto3",
        "botocore",
        "cfnlint",
        "slack_sdk",
    }


def test_help_costs_under_a_third_of_a_second_of_processor_time() -> None:
    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "interlock.cli", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    # Not by the clock: other processes share this machine, and the promise is about our own work.
    assert min(seconds() for _ in range(4)) < 0.3


def test_help_lists_every_command_with_a_summary(interlock: Interlock, capsys: pytest.CaptureFixture[str]) -> None:
    assert interlock("--help") == 0
    text = capsys.readouterr().out
    for name in (
        "deploy",
        "status",
        "history",
        "show",
        "cancel",
        "approve",
        "deny",
        "setup",
        "up",
        "sweep",
        "doctor",
        "demo",
        "rehearse",
    ):
        assert [row for row in text.splitlines() if row.startswith(f"  {name} ") and len(row.split()) > 3]


def test_deploys_help_explains_the_exit_codes(interlock: Interlock, capsys: pytest.CaptureFixture[str]) -> None:
    assert interlock("deploy", "--help") == 0
    text = capsys.readouterr().out
    for code in range(8):
        assert f"\n    {code}  " in text


def test_the_version_is_the_packages(interlock: Interlock, capsys: pytest.CaptureFixture[str]) -> None:
    assert interlock("--version") == 0
    assert capsys.readouterr().out == f"interlock {importlib.metadata.version('interlock')}\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["deploy"], ["deploy", "staging"], ["deploy", "x", "--template", "y", "--timeout", "0"]]
)
def test_a_wrong_command_line_is_an_invalid_request(
    interlock: Interlock, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock(*arguments) == 5
    assert "Usage: interlock" in capsys.readouterr().err


def broken(error: BaseException) -> click.Command:
    @click.command()
    def command() -> NoReturn:
        raise error

    return command


def test_a_bug_is_one_line_without_a_traceback(
    interlock: Interlock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("INTERLOCK_DEBUG", raising=False)
    monkeypatch.setattr(cli.interlock, "get_command", lambda *_: broken(ValueError("odd\nthing")))
    assert interlock("anything") == 1
    error = capsys.readouterr().err
    assert error == "Error: ValueError: odd thing. This is a bug; run with INTERLOCK_DEBUG=1 for the traceback.\n"


def test_a_bug_shows_its_traceback_where_it_is_asked_for(interlock: Interlock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_DEBUG", "1")
    monkeypatch.setattr(cli.interlock, "get_command", lambda *_: broken(ValueError("odd")))
    with pytest.raises(ValueError, match="odd"):
        interlock("anything")


def test_ctrl_c_is_no_traceback(interlock: Interlock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.interlock, "get_command", lambda *_: broken(KeyboardInterrupt()))
    assert interlock("anything") == 130


@pytest.mark.parametrize(
    ("arguments", "module", "passed"),
    [
        (["setup", "--help"], "deployments.setup", ["--help"]),
        (["up", "--port", "4201", "--home", "x"], "deployments.up", ["--port", "4201", "--home", "x"]),
        (["sweep"], "deployments.sweep_now", []),
        (["doctor", "--json"], "deployments.doctor", ["--json"]),
        (["demo", "--keep"], "deployments.demo", ["--keep"]),
        (["rehearse", "aws", "--port", "1"], "interlock.rehearsal.aws", ["--port", "1"]),
        (["rehearse", "slack", "-h"], "interlock.rehearsal.slack", ["-h"]),
        (["rehearse", "deploy", "--template", "f"], "deployments.rehearse", ["--template", "f"]),
    ],
)
def test_a_command_that_runs_something_becomes_that_module(
    interlock: Interlock, monkeypatch: pytest.MonkeyPatch, arguments: list[str], module: str, passed: list[str]
) -> None:
    calls: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, argv: calls.append(argv))
    assert interlock(*arguments) == 0
    assert calls == [[sys.executable, "-m", module, *passed]]


def test_cancel_asks_prefect_and_tells_how_to_look(
    interlock: Interlock, prefect: FakePrefect, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("cancel", CORRELATION_ID, "--reason", "no longer wanted") == 0
    assert prefect.cancelled == [(f"staging {CORRELATION_ID}", "no longer wanted")]
    assert f"interlock show {CORRELATION_ID}" in capsys.readouterr().out


def test_approve_and_deny_give_prefect_the_answer_with_who_and_why(interlock: Interlock, prefect: FakePrefect) -> None:
    assert interlock("approve", CORRELATION_ID, "--actor", "ada", "--changes", "9f2b") == 0
    assert interlock("deny", CORRELATION_ID, "--actor", "ada", "--reason", "Not today.") == 0
    assert prefect.answers == [
        {"decision": "approve", "actor": "ada", "reason": "", "hash": "9f2b"},
        {"decision": "deny", "actor": "ada", "reason": "Not today.", "hash": ""},
    ]


def test_who_denies_says_why(interlock: Interlock, prefect: FakePrefect) -> None:
    assert interlock("deny", CORRELATION_ID) == 5
    assert prefect.answers == []


def test_cancel_takes_a_flow_runs_id(interlock: Interlock, prefect: FakePrefect) -> None:
    assert interlock("cancel", RUN_ID) == 0
    assert len(prefect.cancelled) == 1


def test_cancel_of_what_is_no_id_is_an_invalid_request(interlock: Interlock, prefect: FakePrefect) -> None:
    assert interlock("cancel", "staging") == 5
    assert prefect.cancelled == []
