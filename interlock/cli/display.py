"""What is seen while a run is followed: a live status line on a terminal, plain lines in a CI log or a file."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from interlock.cli.text import one_line, safe
from interlock.notifications.durations import duration
from interlock.prefect_values import Artifact, FlowRun, LogLine

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

_INFO, _WARNING, _ERROR = 20, 30, 40
_ENGINE_LOGGERS = ("prefect.flow_runs.runner", "prefect.flow_runs.worker")
_ENGINE_WORDS = (
    "Beginning flow run",
    "Beginning subflow run",
    "Created task run",
    "Downloading flow code",
    "Hook '",
    "Running hook '",
    "Suspending flow run",
    "View at http",
)
_ENGINE_ENDINGS = ("Finished in state", "Engine execution exited with unexpected exception")
"""A failed deployment is a failed flow run, which Prefect logs as an error, even with a traceback: the outcome says it."""
_SIGN_OF_LIFE_SECONDS = 60.0
"""A CI log that says nothing for this long looks dead."""

_ALL = 100.0
_LEAST_GAIN = 5.0
"""Fewer percent than this are no pace to judge by."""

_PHASES = {
    "SCHEDULED": "waiting for a process",
    "PENDING": "starting",
    "CANCELLING": "cancelling",
    "PAUSED": "waiting for approval",
}


@dataclass(frozen=True)
class Progress:
    """Where the run stands. `percent` is None until the flow tells it."""

    phase: str
    percent: float | None = None

    @classmethod
    def of(cls, run: FlowRun, artifact: Artifact | None) -> Self:
        """The flow's own words for the phase are the description of its progress artifact."""
        words = one_line(artifact.description or "") if artifact else ""
        phase = _PHASES.get(run.state_type) or words or ("deploying" if artifact else "running")
        has_number = artifact is not None and isinstance(artifact.data, int | float)
        percent = min(_ALL, max(0.0, float(artifact.data))) if artifact and has_number else None
        return cls(phase, percent)


class Display(Protocol):
    """Shows a run to whoever waits for it."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def log(self, line: LogLine) -> None: ...
    def notice(self, text: str) -> None: ...
    def correlation_id(self, correlation_id: str) -> None: ...
    def progress(self, progress: Progress) -> None: ...


def display_for(stream: TextIO, environment: str, *, is_ci: bool) -> Display:
    is_plain = is_ci or not stream.isatty() or not find_spec("rich")  # the client alone comes without it
    return PlainDisplay(stream) if is_plain else LiveDisplay(stream, environment)


def is_of_the_engine(line: LogLine) -> bool:
    """Prefect's own chatter, which says nothing about the deployment. Its warnings do."""
    is_chatter = line.logger in _ENGINE_LOGGERS or line.message.startswith(_ENGINE_WORDS)
    return line.message.startswith(_ENGINE_ENDINGS) or (is_chatter and line.level < _WARNING)


class PlainDisplay:
    """Lines with the time in UTC; now and then a sign of life."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._began_at = self._spoke_at = clock()
        self._phase: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def log(self, line: LogLine) -> None:
        if not is_of_the_engine(line):
            level = {_WARNING: "WARNING ", _ERROR: "ERROR "}.get(line.level, "")
            self._write(line.timestamp, level + line.message)

    def notice(self, text: str) -> None:
        self._write(datetime.now(UTC), text)

    def correlation_id(self, correlation_id: str) -> None:
        self.notice(f"Correlation id: {correlation_id}")

    def progress(self, progress: Progress) -> None:
        phase = progress.phase if progress.percent is None else "deploying"
        is_silent = self._clock() - self._spoke_at >= _SIGN_OF_LIFE_SECONDS
        if phase != self._phase or is_silent:
            self._phase = phase
            percent = "" if progress.percent is None else f", {progress.percent:.0f} %"
            self.notice(f"{progress.phase}{percent} ({duration(self._clock() - self._began_at)})")

    def _write(self, moment: datetime, text: str) -> None:
        self._spoke_at = self._clock()
        for part in safe(text).splitlines() or [""]:
            print(f"{moment.astimezone(UTC):%H:%M:%SZ}  {part}", file=self._stream, flush=True)


class LiveDisplay:
    """The log scrolls by above one status line: what happens, how far it is, for how long it has run."""

    def __init__(self, stream: TextIO, environment: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console  # noqa: PLC0415 - not needed in CI
        from rich.progress import Progress as Bar  # noqa: PLC0415 - only when needed

        self._console = Console(file=stream, highlight=False)
        self._bar = Bar(*_columns(), console=self._console, transient=True, refresh_per_second=8)
        self._task = self._bar.add_task("asking Prefect", total=None, environment=environment, left="")
        self._clock = clock
        self._first: tuple[float, float] | None = None
        self._correlation_id: str | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def log(self, line: LogLine) -> None:
        if not is_of_the_engine(line):
            style = "red" if line.level >= _ERROR else "yellow" if line.level >= _WARNING else ""
            self._write(line.timestamp, self._without_correlation_id(line.message), style)

    def notice(self, text: str) -> None:
        self._write(datetime.now(UTC), text, "cyan")

    def correlation_id(self, correlation_id: str) -> None:
        self._correlation_id = correlation_id
        self.notice(f"Correlation id: {correlation_id}")

    def progress(self, progress: Progress) -> None:
        fields: dict[str, Any] = {"description": progress.phase}
        if progress.percent is not None:
            fields |= {"total": _ALL, "completed": progress.percent, "left": self._left(progress.percent)}
        self._bar.update(self._task, **fields)

    def _left(self, percent: float) -> str:
        """A guess from the pace so far; none until there is some pace to judge by."""
        now = self._clock()
        began_at, began_with = self._first = self._first or (now, percent)
        gained = percent - began_with
        if gained < _LEAST_GAIN or percent >= _ALL:
            return ""
        return f"about {duration((now - began_at) * (_ALL - percent) / gained)} left"

    def _without_correlation_id(self, message: str) -> str:
        """It has been told once."""
        known = self._correlation_id
        return message.removeprefix(f"[{known}] ").removeprefix(f"{known} ") if known else message

    def _write(self, moment: datetime, text: str, style: str) -> None:
        from rich.text import Text  # noqa: PLC0415 - only when needed

        for part in safe(text).splitlines() or [""]:
            self._console.print(Text(f"{moment.astimezone():%H:%M:%S}  ", "dim") + Text(part, style), soft_wrap=True)


def _columns() -> "list[ProgressColumn]":
    from rich.progress import BarColumn, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - only when needed

    return [
        SpinnerColumn(),
        TextColumn("[bold]{task.fields[environment]}[/]"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TaskProgressColumn(show_speed=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", style="dim"),
    ]
