from collections.abc import Callable
from pathlib import Path

import pytest

from interlock.cli.main import main
from tests.unit.cli.fake_prefect import FakePrefect

Interlock = Callable[..., int]


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    """Prefect, as the commands see it."""
    fake = FakePrefect()
    for pause in ("carry_out._LAST_LINES_SECONDS", "follow._STATE_SECONDS", "outcome._PAUSE_SECONDS"):
        monkeypatch.setattr(f"interlock.cli.{pause}", 0)
    monkeypatch.setattr("interlock.prefect_api.PrefectApi", lambda _environ: fake)  # last: those modules name it
    return fake


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A template file, and an environment without the CI that these tests may themselves run in."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "INTERLOCK_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "stack.yaml"
    path.write_text("Resources: {}\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def interlock() -> Interlock:
    """The command line: its arguments in, its exit code out."""
    return lambda *arguments: main([str(argument) for argument in arguments])
