"""The process of a deployment, and its sudden end."""

import os
import signal
import time
from pathlib import Path

_LINES_TRAVEL_SECONDS = 1.5


def kill_engine(flow_run_id: str) -> None:
    """Its lines travel for about a second, and a SIGKILL takes those that have not left: they are given that long."""
    time.sleep(_LINES_TRAVEL_SECONDS)
    (pid,) = [
        int(path.name)
        for path in Path("/proc").glob("[0-9]*")
        if flow_run_id.encode() in _command_line(path) and b"prefect.engine" in _command_line(path)
    ]
    os.kill(pid, signal.SIGKILL)


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""  # it has just ended
