"""`recover` at a terminal: what it asks, and what it does with the answer."""

import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from interlock.blocked_rollback import BlockedRollback, Blocker
from interlock.cli import recover as command
from interlock.continued_rollback import Recovered, Wish
from interlock.models.stack import Failure, Stack
from interlock.models.stack_status import StackStatus
from tests.unit.cli.conftest import Interlock

HOSTILE = "gone\x1b[2J\n::error::forged"


class Work:
    """A stack that one resource blocks; what is asked of it is kept."""

    def __init__(self) -> None:
        self.wishes: list[Wish] = []

    def look(self) -> BlockedRollback:
        failure = Failure(
            logical_id="Db",
            resource_type="AWS::SNS::Topic",
            status="UPDATE_FAILED",
            reason=HOSTILE,
            timestamp=datetime(2026, 11, 24, tzinfo=UTC),
            stack_name="app",
        )
        stack = Stack(name="app", stack_id="arn", status="UPDATE_ROLLBACK_FAILED")
        blocker = Blocker(name="Db", can_be_skipped=True, failure=failure)
        return BlockedRollback(environment="staging", stack=stack, blockers=(blocker,))

    def carry_out(self, _blocked: BlockedRollback, wish: Wish, _tell: object) -> Recovered:
        self.wishes.append(wish)
        return Recovered("recovery-20261124-000000-0000000a", StackStatus("UPDATE_ROLLBACK_COMPLETE"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setattr(command, "_work", lambda _environment: made)
    return made


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_nothing_is_done_without_a_yes(
    interlock: Interlock, work: Work, answering: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    answering("n\n")
    assert interlock("recover", "staging") == 5
    assert work.wishes == []
    assert "not confirmed" in capsys.readouterr().err


def test_after_a_yes_it_is_done_as_it_was_shown(
    interlock: Interlock, work: Work, answering: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    answering("y\n")
    assert interlock("recover", "staging", "--skip", "Db", "--skip", "Db", "--actor", "ada") == 0
    assert "ContinueUpdateRollback of app, skipping Db." in capsys.readouterr().err
    assert work.wishes == [Wish(by="ada", reason="no reason was given", skip=("Db",))]


def test_the_words_of_others_command_neither_the_terminal_nor_ci(
    interlock: Interlock, work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    interlock("recover", "staging", "--yes")
    shown = capsys.readouterr().out
    assert "\x1b[2J" not in shown
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    assert work.wishes


def test_a_reason_that_is_a_novel_is_refused(interlock: Interlock, work: Work) -> None:
    assert interlock("recover", "staging", "--yes", "--reason", "x" * 501) == 5
    assert work.wishes == []
