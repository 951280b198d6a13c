"""A command while it runs: started under its supervisor, kept alive by ours, read, and let go of."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from interlock.commands.output import Output
from interlock.errors import CommandNotStartedError
from interlock.models.base import Value
from interlock.timing import COMMAND_GRACE_SECONDS, COMMAND_SILENCE_SECONDS

_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
_LOOK_SECONDS = 0.2
_SIGN_SECONDS = 1.0
_LAST_LINES_SECONDS = 5.0
"""How long the end of the output is waited for: a process that left the command's group may keep it open."""


class Ending(Value):
    """How a command ended. `cut_short` says why we ended it; None: it ended by itself, with `exit_code`."""

    exit_code: int | None
    cut_short: str | None = None
    last_lines: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        return self.exit_code == 0 and self.cut_short is None

    @property
    def in_words(self) -> str:
        return self.cut_short or f"The command ended with exit code {self.exit_code}."


class Command:
    """One command, started once: `start`, then `wait` as often as it takes."""

    # A task is given it, and Prefect would look through `vars()` of a parameter: with slots there is nothing to find.
    __slots__ = ("_deadline", "_output", "_reader", "_supervisor", "_timeout_seconds")

    def __init__(self, *, timeout_seconds: float | None, tell: Callable[[str], None]) -> None:
        self._timeout_seconds = timeout_seconds
        self._deadline: float | None = None
        self._output = Output(tell)
        self._reader: threading.Thread | None = None
        self._supervisor: subprocess.Popen[str] | None = None

    @property
    def is_started(self) -> bool:
        return self._supervisor is not None

    def start(
        self, arguments: Sequence[str], *, environ: Mapping[str, str], directory: Path | None, scratch: Path
    ) -> None:
        """Raises CommandNotStartedError. `scratch` is removed at the command's end, whoever sees that."""
        # Isolated (-I): neither the directory nor the environment that the command gets may put modules before ours.
        argv = [sys.executable, "-I", str(_SUPERVISOR), str(COMMAND_SILENCE_SECONDS), str(scratch), *arguments]
        try:
            self._supervisor = subprocess.Popen(  # noqa: S603 - our own file; the command's arguments are a list, no shell
                argv,
                env=dict(environ),
                cwd=directory,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise CommandNotStartedError(
                f"The command could not be started in {directory or 'the working directory'}: {error.strerror}.",
                next_step="Nothing was changed. Correct `command_directory` in the environments file.",
            ) from error
        if self._timeout_seconds:
            self._deadline = time.monotonic() + self._timeout_seconds
        self._reader = threading.Thread(target=self._read, name="command-output", daemon=True)
        self._reader.start()

    def wait(self, is_lost: Callable[[], bool], pause: Callable[[float], object]) -> Ending | None:
        """To its end, or until the hold `is_lost` or its time is over: then it is ended. None when we are torn down, which
        `pause` says by a true answer: the command is let go of, and ends without anybody who waits for it.
        """
        next_sign_at = 0.0
        while self._process.poll() is None:
            if why := self._why_to_end(is_lost):
                return self._cut_short(why)
            if time.monotonic() >= next_sign_at:
                self._give_sign()
                next_sign_at = time.monotonic() + _SIGN_SECONDS
            if pause(_LOOK_SECONDS):
                self.let_go()
                return None
        return self._ending()

    def let_go(self) -> None:
        """Its supervisor ends it, and needs nobody for that."""
        if self._supervisor and self._supervisor.stdin:
            with suppress(OSError):
                self._supervisor.stdin.close()

    def _why_to_end(self, is_lost: Callable[[], bool]) -> str | None:
        if is_lost():
            return "The command was ended: the environment is no longer held by this deployment."
        if self._deadline and time.monotonic() > self._deadline:
            minutes = (self._timeout_seconds or 0) / 60
            return f"The command was ended: it took longer than {minutes:g} minutes (command_timeout_minutes)."
        return None

    def _cut_short(self, why: str) -> Ending:
        self.let_go()
        try:
            self._process.wait(2 * COMMAND_GRACE_SECONDS)
        except subprocess.TimeoutExpired:  # the supervisor itself hangs: the kernel takes the command with it
            self._process.kill()
            self._process.wait()
        return self._ending(why)

    def _ending(self, cut_short: str | None = None) -> Ending:
        if self._reader:
            self._reader.join(_LAST_LINES_SECONDS)
        self.let_go()
        exit_code = None if cut_short else self._process.returncode
        return Ending(exit_code=exit_code, cut_short=cut_short, last_lines=self._output.last_lines)

    def _give_sign(self) -> None:
        with suppress(OSError, ValueError):  # it has just ended
            if self._process.stdin:
                self._process.stdin.write(".")
                self._process.stdin.flush()

    def _read(self) -> None:
        if self._process.stdout:
            with suppress(ValueError):  # closed under us, at the very end
                self._output.read(self._process.stdout)

    @property
    def _process(self) -> "subprocess.Popen[str]":
        if self._supervisor is None:
            raise RuntimeError("The command was not started.")
        return self._supervisor
