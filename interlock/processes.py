"""Child processes that never outlive their parent, and ports that are ours alone."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from interlock.errors import StartupError

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def start(
    argv: Sequence[str], *, environ: Mapping[str, str], log: Path | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that a Ctrl-C meant for us does not hit it first.

    On Linux the kernel ends it when we die, even by SIGKILL.
    """
    output: IO[bytes] | int = log.open("ab") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen(  # noqa: S603 - the arguments are our own commands, given as a list, without a shell
            list(argv),
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_the_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one prctl call
        )
    finally:
        if not isinstance(output, int):
            output.close()


def stop(process: subprocess.Popen[bytes], *, grace_seconds: float = 10) -> None:
    """End the child and whatever it started: SIGTERM first, SIGKILL to its whole group after the grace."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):  # the group is killed below, whether it listened or not
            process.wait(grace_seconds)
    kill_group(process.pid)
    process.wait()


def wait_until(
    is_ready: Callable[[], bool],
    process: subprocess.Popen[bytes],
    *,
    what: str,
    timeout_seconds: float,
    log: Path | None = None,
) -> None:
    """Return once `is_ready()` says so.

    Raises:
        StartupError: the process ended, or the time was up; with the end of its log.
    """
    deadline = time.monotonic() + timeout_seconds
    while not is_ready():
        if process.poll() is not None:
            raise StartupError(f"{what} ended while it was starting (exit code {process.returncode}).{_tail(log)}")
        if time.monotonic() > deadline:
            raise StartupError(f"{what} did not become ready within {timeout_seconds:.0f} s.{_tail(log)}")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free_port(port: int, *, what: str, host: str = "127.0.0.1") -> None:
    """Check that nothing listens there.

    Raises:
        StartupError: the port is in use, or the address not ours to take.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise StartupError(
                f"{what} cannot listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}.",
                next_step="Stop what uses it, or choose another port with --port.",
            ) from error


def _end_with_the_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def kill_group(group: int) -> None:
    """End whatever is left of a group by SIGKILL: also processes whose leader has died, or that are stopped."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended already


def _tail(log: Path | None, lines: int = 8) -> str:
    if log is None or not log.exists():
        return ""
    text = "\n  ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return f" The end of {log}:\n  {text}\n"
