import json
from pathlib import Path

import pytest

from interlock.cli import github_actions
from interlock.cli.outcome import Outcome, make
from tests.unit.cli.conftest import Interlock
from tests.unit.cli.fake_prefect import CORRELATION_ID, FakePrefect, outcome

ENVIRON = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_REPOSITORY": "owner/repo",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "abc",
    "GITHUB_ACTOR": "alice",
}


@pytest.fixture
def in_actions(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory where the job's summary.md and output.txt are."""
    assert template  # it has removed the variables of a surrounding CI
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output.txt"))
    return tmp_path


def parsed(text: str) -> dict[str, str]:
    """The outputs as GitHub's runner reads the file."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        values = iter(lambda: next(lines), delimiter)
        found[name] = "\n".join(values)
    return found


def test_the_job_fills_in_what_it_knows(
    interlock: Interlock, prefect: FakePrefect, template: str, in_actions: Path
) -> None:
    prefect.found["interlock-outcome"] = outcome()
    assert interlock("deploy", "staging", "--template", template) == 0
    (created,) = prefect.created
    asked = created["parameters"]
    assert asked["workflow_run_id"] == "77"
    assert asked["github_run_url"] == "https://github.com/owner/repo/actions/runs/77"
    assert (asked["git_sha"], asked["actor"]) == ("abc", "alice")
    assert created["key"].startswith("github-77-2-staging-")
    assert (in_actions / "summary.md").read_text(encoding="utf-8").startswith("### ✅ staging: deployed")


def test_a_step_that_is_run_again_joins_its_first_request(
    interlock: Interlock, prefect: FakePrefect, template: str, in_actions: Path
) -> None:
    assert in_actions
    prefect.found["interlock-outcome"] = outcome()
    interlock("deploy", "staging", "--template", template)
    interlock("deploy", "staging", "--template", template)
    interlock("deploy", "staging", "--template", template, "--parameter", "A=b")
    keys = [created["key"] for created in prefect.created]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]


def test_the_outcome_becomes_outputs_of_the_step(
    interlock: Interlock, prefect: FakePrefect, template: str, in_actions: Path
) -> None:
    prefect.found["interlock-outcome"] = outcome(status="FAILED", exit_code=1, outputs={"Url": "http://x"})
    assert interlock("deploy", "staging", "--template", template) == 1
    found = parsed((in_actions / "output.txt").read_text(encoding="utf-8"))
    assert found["correlation-id"] == CORRELATION_ID
    assert found["status"] == "FAILED"
    assert json.loads(found["stack-outputs"]) == {"Url": "http://x"}
    assert found["flow-run-url"].startswith("http://prefect.test/")


def test_a_value_with_line_breaks_adds_no_output_of_its_own() -> None:
    result = Outcome("FAILED\nstatus=SUCCEEDED\ninterlock-0\nplanted<<x", 1, "staging")
    assert set(parsed(github_actions.outputs(result))) == {"correlation-id", "status", "stack-outputs", "flow-run-url"}


def test_a_failure_becomes_an_annotation_of_one_line(
    interlock: Interlock, prefect: FakePrefect, template: str, in_actions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_actions
    prefect.found["interlock-outcome"] = outcome(status="FAILED", exit_code=1, reason="100% full\nof errors")
    interlock("deploy", "staging", "--template", template)
    assert "::error title=Interlock::staging: deployment failed: 100%25 full of errors\n" in capsys.readouterr().err


def test_nothing_in_the_summary_is_taken_for_markup() -> None:
    facts = {"reason": "`<img src=x>` | **bold** <!-- gone", "outputs": {"A": "x|y", "B": "https://x.test/a"}}
    text = github_actions.markdown(make("FAILED", "staging", facts))
    assert "| Reason | `'<img src=x>' \\| **bold** <!-- gone` |" in text
    assert "| `A` | `x\\|y` |" in text
    assert "| `B` | <https://x.test/a> |" in text


def test_a_summary_that_cannot_be_written_does_not_change_the_exit_code(
    *,
    interlock: Interlock,
    prefect: FakePrefect,
    template: str,
    in_actions: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(in_actions))
    prefect.found["interlock-outcome"] = outcome()
    assert interlock("deploy", "staging", "--template", template) == 0
    assert "cannot be written" in capsys.readouterr().err


def test_an_invalid_request_is_reported_to_the_job_as_well(
    interlock: Interlock, prefect: FakePrefect, in_actions: Path
) -> None:
    assert interlock("deploy", "staging", "--template", in_actions / "absent.yaml") == 5
    assert prefect.created == []
    assert parsed((in_actions / "output.txt").read_text(encoding="utf-8"))["status"] == "INVALID"


def test_outside_of_actions_nothing_is_written(tmp_path: Path) -> None:
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    github_actions.report(make("FAILED", "staging"), environ)
    assert list(tmp_path.iterdir()) == []
