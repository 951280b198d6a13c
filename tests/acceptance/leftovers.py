"""Whether a command has left processes behind: its own are known by a variable that all its children inherit."""

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

_NAME = "ACCEPTANCE_TEST_MARK"


@dataclass(frozen=True)
class Mark:
    """`environ` goes to the command; `processes` are those that have it."""

    value: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def environ(self) -> dict[str, str]:
        return {_NAME: self.value}

    def processes(self) -> list[str]:
        """The command lines of those that are alive."""
        return [command for path in Path("/proc").glob("[0-9]*") if (command := self._command(path))]

    def ended_within(self, *, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.processes():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _command(self, path: Path) -> str | None:
        try:
            if f"{_NAME}={self.value}".encode() in (path / "environ").read_bytes().split(b"\0"):
                return (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            pass  # it has just ended, or is not ours to read
        return None
