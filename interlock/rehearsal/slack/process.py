"""The local Slack as a process of ours: started, asked, given faults, and gone with us."""

import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import httpx

from interlock.errors import StartupError
from interlock.plain_http import NO_CERTIFICATES

_READY = "ready: "
_STOP_SECONDS = 5


class RehearsalSlack:
    """A context manager around `python -m interlock.rehearsal.slack`. It ends with us: it reads our pipe.

    Raises:
        StartupError: on entering, when it cannot listen on the port.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        """For INTERLOCK_SLACK_API_URL."""
        return f"{self.url}/api/"

    def start(self) -> Self:
        command = [sys.executable, "-m", "interlock.rehearsal.slack", "--port", str(self._port), "--exit-with-stdin"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)  # noqa: S603 - our own module
        assert self._process.stdout is not None  # noqa: S101 - tells the type checker what PIPE means
        first_line = self._process.stdout.readline()
        if not first_line.startswith(_READY):
            _, complaint = self._process.communicate(timeout=_STOP_SECONDS)
            raise StartupError(complaint.strip() or "The local Slack ended before it was ready.")
        self.url = first_line.removeprefix(_READY).strip()
        return self

    def stop(self) -> None:
        """Ends the process. Twice is as good as once."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_STOP_SECONDS)
            return
        process.kill()
        process.communicate()

    def messages(self) -> list[dict[str, Any]]:
        """Every message so far, oldest first: ts, channel, thread_ts, text, blocks, edits, posted_at."""
        found: list[dict[str, Any]] = self._get("/_rehearsal/messages")
        return found

    def log(self) -> list[dict[str, Any]]:
        """Every call so far, with the fault that met it."""
        found: list[dict[str, Any]] = self._get("/_rehearsal/log")
        return found

    def set_faults(self, *faults: dict[str, Any]) -> None:
        """In place of those still to come; see `faults.Fault` for the fields. None: a good day."""
        httpx.put(
            f"{self.url}/_rehearsal/faults", json=list(faults), trust_env=False, verify=NO_CERTIFICATES
        ).raise_for_status()

    def _get(self, path: str) -> Any:
        return httpx.get(f"{self.url}{path}", trust_env=False, verify=NO_CERTIFICATES).raise_for_status().json()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
