"""The simulated AWS as a process, for tests and the demo. It never outlives the process that started it."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from interlock.errors import StartupError
from interlock.plain_http import NO_CERTIFICATES

Json = dict[str, Any]
_READY = "ready: "
_PATIENCE_SECONDS = 15
"""For its end: what is killed leaves its directory behind."""
_VERSIONS = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


class RehearsalAws:
    """`with RehearsalAws(seconds=0.1) as aws: ...`; `port=0` takes a free one."""

    def __init__(
        self, *, port: int = 0, seconds: float = 0.5, rollback_seconds: float = 0.5, change_set_seconds: float = 0.0
    ) -> None:
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - a pipe that nobody reads would fill and stop it
        options = {
            "--port": port,
            "--seconds": seconds,
            "--rollback-seconds": rollback_seconds,
            "--change-set-seconds": change_set_seconds,
        }
        self._arguments = [str(word) for option in options.items() for word in option]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            StartupError: it could not start; the message holds what it said.
        """
        # The pipe to its stdin is what ties its life to ours: the kernel closes it however we end.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "interlock.rehearsal.aws", "--until-stdin-closes", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith(_READY):
            self.stop()
            self._complaints.seek(0)
            raise StartupError(
                self._complaints.read().strip() or "The simulated AWS did not start, and did not say why."
            )
        self.url = line.removeprefix(_READY).strip()

    def stop(self) -> None:
        """Stop it; again does nothing."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._process = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def environment(self) -> dict[str, str]:
        """The variables that make an AWS client use this one, and no account of anybody's."""
        return {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SESSION_TOKEN": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def set_rules(self, rules: Sequence[Json]) -> None:
        self._put("rules", rules)

    def set_faults(self, faults: Sequence[Json]) -> None:
        self._put("faults", faults)

    def log(self) -> list[Json]:
        return self._get("log")

    def clear_log(self) -> None:
        self._put("log", [])

    def operations(self) -> list[Json]:
        return self._get("operations")

    def standins(self) -> list[Json]:
        return self._get("standins")

    def reset(self) -> None:
        """Forget all stacks, resources, rules, faults and the log."""
        httpx.post(f"{self.url}/_rehearsal/reset", timeout=30, verify=NO_CERTIFICATES).raise_for_status()

    def make_bucket(self, name: str) -> None:
        """A bucket that keeps versions."""
        for query, body in (("", ""), ("?versioning", _VERSIONS)):
            httpx.put(f"{self.url}/{name}{query}", content=body, timeout=30, verify=NO_CERTIFICATES).raise_for_status()

    def _get(self, what: str) -> list[Json]:
        answer = httpx.get(f"{self.url}/_rehearsal/{what}", timeout=30, verify=NO_CERTIFICATES)
        return list(answer.raise_for_status().json())

    def _put(self, what: str, content: Sequence[Json]) -> None:
        answer = httpx.put(f"{self.url}/_rehearsal/{what}", json=list(content), timeout=30, verify=NO_CERTIFICATES)
        if answer.is_client_error:
            raise ValueError(answer.json()["error"])
        answer.raise_for_status()
