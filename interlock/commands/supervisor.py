"""Runs a command for as long as its owner shows signs of life, and ends it with everything that it started.

`python -I supervisor.py SECONDS SCRATCH PROGRAM [ARGUMENT...]`: a process of its own between a deployment's engine and
the team's tool. The engine writes to its standard input now and then. When that is closed (the kernel closes it however an
engine ends), or nothing has come for SECONDS, the tool's process group gets SIGTERM, and SIGKILL after a grace: a command
whose engine is dead, or stopped for longer than its hold lives, must not go on changing a stack that others believe free.

It imports nothing but the standard library, and no file beside it: what lies in the directory that the command runs in
is none of its business. Of one thread, so a `preexec_fn` is safe here, as it would not be in an engine.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 10.0
_NOT_STARTED = 127
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(silence_seconds: str, scratch: str, *command: str) -> int:
    """The command's exit code (128 + the signal that ended it), or 127 when it could not be started."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(command, float(silence_seconds))
    except KeyboardInterrupt:
        return 128 + signal.SIGTERM
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _run(command: Sequence[str], silence_seconds: float) -> int:
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own command, as a list of arguments, without a shell
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_us if sys.platform == "linux" else None,  # noqa: PLW1509 - see the head of this file
        )
    except OSError as error:
        sys.stdout.write(f"{command[0]}: it could not be started: {error.strerror}\n")
        return _NOT_STARTED
    try:
        _wait(process, silence_seconds)
    finally:
        _end(process)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _wait(process: "subprocess.Popen[bytes]", silence_seconds: float) -> None:
    """Until the command has ended, its owner lets go of it, or is silent for too long."""
    heard_at = time.monotonic()
    while process.poll() is None:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], _LOOK_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 4096):
            return
        if readable:
            heard_at = time.monotonic()
        elif time.monotonic() - heard_at > silence_seconds:
            return


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Whatever is left of the command's group; of one that has ended by itself, too."""
    deadline = time.monotonic() + _GRACE_SECONDS
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            process.poll()  # a dead leader that nobody waits for would still count as alive
            os.killpg(process.pid, 0)
            time.sleep(_LOOK_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end_with_us() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
