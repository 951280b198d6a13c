from pathlib import Path

import pytest

from interlock.doctor.commands import checks
from interlock.doctor.findings import Level, Verdict
from interlock.models.environment import Environment

PLAIN = Environment(name="production", stack_name="other", region="us-east-1")


def verdict(program: str, directory: Path | None = None) -> Verdict:
    environment = PLAIN.model_copy(update={"command": (program,), "command_directory": directory})
    (check,) = checks([PLAIN, environment])
    return check.examine()


@pytest.mark.parametrize(("program", "level"), [("sh", Level.OK), ("no-such-tool", Level.PROBLEM)])
def test_a_program_is_looked_for_on_the_path(program: str, level: Level) -> None:
    assert verdict(program).level is level


def test_one_with_a_slash_is_looked_for_where_it_runs_and_must_be_executable(tmp_path: Path) -> None:
    script = tmp_path / "deploy.sh"
    script.touch(mode=0o600)
    assert verdict("./deploy.sh", tmp_path).level is Level.PROBLEM
    script.chmod(0o700)
    assert verdict("./deploy.sh", tmp_path).level is Level.OK


def test_a_directory_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert verdict("sh", tmp_path / "nowhere").level is Level.PROBLEM
