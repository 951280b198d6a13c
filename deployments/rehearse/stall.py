"""A rehearsed stall: noticed when Interlock reports it, lifted then, or when there is nothing more to wait for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from deployments.rehearsal_system import RehearsalSystem
from interlock.cli.display import Display, Progress
from interlock.models.environment import Environment
from interlock.models.notice import NoticeKind
from interlock.monitoring.resource_seconds import normal_of
from interlock.prefect_values import LogLine

_PATIENCE_SECONDS = 60.0
_PATIENCE_WITH_SILENT_TYPES_SECONDS = 15.0


@dataclass(frozen=True)
class Stall:
    """A resource that is to stand still."""

    logical_id: str
    resource_type: str


class StallWatch:
    """Stands between the follower and its display, so that one loop follows the run and looks after the stall."""

    def __init__(
        self,
        system: RehearsalSystem,
        environment: Environment,
        stall: Stall,
        display: Display,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._system = system
        self._stall = stall
        self._display = display
        self._clock = clock
        self._correlation_id = ""
        self._began_at: float | None = None
        self._is_lifted = False
        silent_seconds = normal_of(stall.resource_type).silent_seconds or 0.0
        self._is_silent_type = silent_seconds > environment.stall_after_minutes * 60
        self._silent_seconds = silent_seconds
        self.story = f"{stall.logical_id} never stood still: the deployment ended before."

    def __enter__(self) -> Self:
        self._display.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._display.__exit__(*error)

    def log(self, line: LogLine) -> None:
        self._display.log(line)

    def notice(self, text: str) -> None:
        self._display.notice(text)

    def correlation_id(self, correlation_id: str) -> None:
        self._correlation_id = correlation_id
        self._display.correlation_id(correlation_id)

    def progress(self, progress: Progress) -> None:
        self._display.progress(progress)
        if progress.percent is not None and not self._is_lifted:
            self._began_at = self._began_at or self._clock()
            self._look(self._clock() - self._began_at)

    def _look(self, waited_seconds: float) -> None:
        name = f"{self._stall.logical_id} ({self._stall.resource_type})"
        patience = _PATIENCE_WITH_SILENT_TYPES_SECONDS if self._is_silent_type else _PATIENCE_SECONDS
        if self._is_reported():
            self._lift(f"{name} stood still, and Interlock reported the stall. Then it was let go.")
        elif waited_seconds > patience:
            why = (
                f": a resource of its type may be silent for {self._silent_seconds / 60:.0f} minutes"
                if self._is_silent_type
                else ""
            )
            self._lift(f"{name} stood still, and after {patience:.0f} s no stall was reported{why}. It was let go.")

    def _is_reported(self) -> bool:
        rows = self._system.registry.outbox.rows(self._correlation_id)
        return any(row.notice.kind is NoticeKind.STALLED for row in rows)

    def _lift(self, story: str) -> None:
        self._is_lifted, self.story = True, story
        self._display.notice(story)
        self._system.aws.set_rules([])
