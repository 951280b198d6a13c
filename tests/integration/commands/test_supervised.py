"""A command under its supervisor, with real processes: it lives no longer than its owner, and nothing of it is left."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from interlock.commands import supervisor
from interlock.commands.running import Command, Ending
from interlock.errors import CommandNotStartedError
from interlock.timing import (
    COMMAND_GRACE_SECONDS,
    COMMAND_SILENCE_SECONDS,
    HOLD_HEARTBEAT_SECONDS,
    HOLD_LIFETIME_SECONDS,
)

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("pids", __import__("os").getpid(), child.pid, flush=True)
"""
FOREVER = PARENT + "time.sleep(60)"
ORPHANING = PARENT + "sys.exit(0)"


class Run:
    """One command, its lines, and the directory that goes with it."""

    def __init__(self, tmp_path: Path, *, timeout_seconds: float | None = None) -> None:
        self.lines: list[str] = []
        self.scratch = tmp_path / "scratch"
        self.scratch.mkdir()
        (self.scratch / "template.yaml").touch()
        self.command = Command(timeout_seconds=timeout_seconds, tell=self.lines.append)

    def start(self, *arguments: str, directory: Path | None = None) -> None:
        self.command.start(arguments, environ=os.environ, directory=directory, scratch=self.scratch)

    def python(self, code: str) -> None:
        self.start(sys.executable, "-c", code)

    def end(self, *, lost: Callable[[], bool] = lambda: False) -> Ending:
        ending = self.command.wait(lost, time.sleep)
        assert ending is not None
        return ending

    def pids(self) -> list[int]:
        until(lambda: any(line.startswith("pids") for line in self.lines))
        return [int(word) for line in self.lines if line.startswith("pids") for word in line.split()[1:]]


def until(is_so: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_dead(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    one = Run(tmp_path)
    yield one
    one.command.let_go()


def test_exit_code_output_and_last_lines_come_through(run: Run) -> None:
    run.python(
        "import sys; print('\\x1b[31mred\\x1b[0m'); print('w' * 5000); print('bad', file=sys.stderr); sys.exit(3)"
    )
    ending = run.end()
    assert (ending.exit_code, ending.cut_short, ending.last_lines[-1]) == (3, None, "bad")
    assert run.lines[0] == "red"
    assert max(map(len, run.lines)) <= 2000
    until(lambda: not run.scratch.exists())


def test_its_input_is_empty_and_its_arguments_reach_no_shell(run: Run) -> None:
    run.start(sys.executable, "-c", "import sys; print(repr(sys.stdin.read()), sys.argv[1])", "$(id); `id`")
    assert run.end().is_well
    assert run.lines == ["'' $(id); `id`"]


def test_a_program_that_is_not_there_is_said_with_its_name(run: Run) -> None:
    run.start("no-such-tool", "deploy")
    ending = run.end()
    assert ending.exit_code == 127
    assert "no-such-tool" in ending.last_lines[0]


def test_a_directory_that_is_not_there_is_an_error_of_ours(run: Run, tmp_path: Path) -> None:
    with pytest.raises(CommandNotStartedError, match="command_directory"):
        run.start("true", directory=tmp_path / "nowhere")


def test_modules_in_the_commands_directory_are_not_taken_for_ours(run: Run, tmp_path: Path) -> None:
    (tmp_path / "select.py").write_text("raise SystemExit('shadowed')")
    run.start(sys.executable, "-c", "print('fine')", directory=tmp_path)
    assert run.end().is_well


def test_one_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    run = Run(tmp_path, timeout_seconds=1)
    run.python(FOREVER)
    pids = run.pids()
    assert "took longer" in (run.end().cut_short or "")
    assert all(map(is_dead, pids))


def test_one_whose_hold_is_lost_is_ended(run: Run) -> None:
    run.python(FOREVER)
    pids = run.pids()
    assert "no longer held" in (run.end(lost=lambda: True).cut_short or "")
    assert all(map(is_dead, pids))


def test_one_that_ignores_sigterm_is_killed_after_the_grace(run: Run) -> None:
    run.python("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER)
    pids = run.pids()
    began = time.monotonic()
    run.end(lost=lambda: True)
    assert time.monotonic() - began < COMMAND_GRACE_SECONDS + 5
    assert all(map(is_dead, pids))


def test_what_a_command_leaves_behind_is_ended_too(run: Run) -> None:
    run.python(ORPHANING)
    pids = run.pids()
    assert run.end().is_well
    assert all(map(is_dead, pids))


def test_a_run_that_is_torn_down_lets_go_and_the_command_ends_by_itself(run: Run) -> None:
    run.python(FOREVER)
    pids = run.pids()
    abandoned = threading.Event()
    abandoned.set()
    assert run.command.wait(lambda: False, abandoned.wait) is None
    until(lambda: all(map(is_dead, pids)))
    until(lambda: not run.scratch.exists())


OWNER = """
import os, sys, time
from pathlib import Path
from interlock.commands import running
from interlock.commands.running import Command
running.COMMAND_SILENCE_SECONDS = 2
command = Command(timeout_seconds=None, tell=lambda line: print(line, flush=True))
command.start([sys.executable, "-c", sys.argv[2]], environ=os.environ, directory=None, scratch=Path(sys.argv[1]))
command.wait(lambda: False, time.sleep)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_promise_1_a_command_dies_with_its_engine_killed_or_stopped(run: Run, blow: signal.Signals) -> None:
    argv = [sys.executable, "-c", OWNER, str(run.scratch), FOREVER]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        try:
            assert owner.stdout is not None
            pids = [int(word) for word in owner.stdout.readline().split()[1:]]
            assert not any(map(is_dead, pids))
            owner.send_signal(blow)
            until(lambda: all(map(is_dead, pids)))
            until(lambda: not run.scratch.exists())
        finally:
            owner.kill()


def test_a_stopped_engines_command_is_dead_before_anybody_may_take_its_hold() -> None:
    left_of_the_hold = HOLD_LIFETIME_SECONDS - HOLD_HEARTBEAT_SECONDS
    assert left_of_the_hold > COMMAND_SILENCE_SECONDS + COMMAND_GRACE_SECONDS
    assert supervisor._GRACE_SECONDS == COMMAND_GRACE_SECONDS
