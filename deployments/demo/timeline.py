"""What is seen while the demo runs: one line for each thing that happens, in the order in which it happened.

The lines come from several logs, each read once in a while. So a line is held back for a moment, until nothing older can come.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from deployments.demo.parts import PARTS, Part
from interlock.cli.display import Progress as Standing
from interlock.cli.display import is_of_the_engine
from interlock.cli.text import one_line
from interlock.prefect_values import LogLine

STYLES = {"production 1": "cyan", "production 2": "magenta", "staging": "yellow"}
_HELD_BACK = timedelta(seconds=1.6)
_WARNING = 30
_AT_WORK = "CloudFormation is carrying out"
_BEGINNINGS = re.compile(r"^\w+ \((?!AWS::CloudFormation::Stack)[\w:]+\) \w+_IN_PROGRESS")
"""A resource that begins is in the progress bar; the line says when it is there."""


@dataclass(frozen=True, order=True)
class _Line:
    moment: datetime
    who: str
    text: str
    style: str = ""


class Timeline:
    """Safe among threads. On a terminal, progress bars stand below the lines, unless a picture is made of it."""

    def __init__(self, console: Console, *, has_bars: bool = True) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._waiting: list[_Line] = []
        self._began_at = datetime.now(UTC)
        self._bars = Progress(
            TextColumn("[bold]{task.fields[who]:<13}"),
            BarColumn(bar_width=30),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=not (has_bars and console.is_terminal),
        )
        self._tasks: Mapping[str, TaskID] = {
            part.name: self._bars.add_task("", total=100, who=part.name, visible=False) for part in PARTS
        }

    def __enter__(self) -> Self:
        self._began_at = datetime.now(UTC)
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.show(everything=True)
        self._bars.stop()

    def seconds(self, moment: datetime) -> float:
        """Since the demo's beginning."""
        return (moment - self._began_at).total_seconds()

    def add(self, moment: datetime, who: str, text: str, style: str = "") -> None:
        with self._lock:
            self._waiting.append(_Line(moment, who, text, style))

    def show(self, *, everything: bool = False) -> None:
        """Print what is old enough."""
        until = datetime.now(UTC) - (timedelta(0) if everything else _HELD_BACK)
        with self._lock:
            due = sorted(line for line in self._waiting if everything or line.moment <= until)
            self._waiting = [line for line in self._waiting if line not in due]
        for line in due:
            self._print(line)

    def standing(self, who: str, words: str, percent: float | None) -> None:
        self._bars.update(self._tasks[who], description=words, completed=percent or 0, visible=True)

    def ended(self, who: str) -> None:
        self._bars.update(self._tasks[who], visible=False)

    def _print(self, line: _Line) -> None:
        clock = f"{max(0.0, self.seconds(line.moment)):5.1f} s"
        style = STYLES.get(line.who, "dim")
        if not self._console.is_terminal:
            first, *more = line.text.splitlines() or [""]
            indented = "".join(f"\n{'':24}{part}" for part in more)
            self._console.print(f"{clock}  {line.who:<13}  {first}{indented}", soft_wrap=True, markup=False)
            return
        row = Table.grid(padding=(0, 2))
        row.add_column(width=7)
        row.add_column(width=13, no_wrap=True)
        row.add_column(ratio=1, overflow="fold")
        row.add_row(Text(clock, "dim"), Text(line.who, style), Text(line.text, line.style))
        self._console.print(row)


class Voice:
    """One deployment's place in the timeline: what `interlock deploy` would show of it (an interlock.cli.display.Display)."""

    def __init__(self, timeline: Timeline, part: Part) -> None:
        self._timeline = timeline
        self._who = part.name
        self.is_deploying = threading.Event()
        """Set once CloudFormation is at work."""
        self.has_progress = threading.Event()
        """Set once it is known how far it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timeline.ended(self._who)

    def log(self, line: LogLine) -> None:
        words = one_line(line.message)
        if _AT_WORK in words:
            self.is_deploying.set()
        is_noise = is_of_the_engine(line) or _BEGINNINGS.match(words) or words.endswith(": nothing to do")
        if not is_noise:
            self._timeline.add(line.timestamp.astimezone(UTC), self._who, words, _style(line))

    def notice(self, text: str) -> None:
        self._timeline.add(datetime.now(UTC), self._who, text)

    def correlation_id(self, correlation_id: str) -> None:
        """The log's first line says it."""

    def progress(self, progress: Standing) -> None:
        if progress.percent is not None:
            self.has_progress.set()
        self._timeline.standing(self._who, progress.phase, progress.percent)


def _style(line: LogLine) -> str:
    if "_FAILED" in line.message or line.level > _WARNING:
        return "red"
    return "yellow" if line.level == _WARNING else ""
