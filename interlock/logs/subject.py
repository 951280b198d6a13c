"""What a log line is about: the deployment, its environment, its stack, its run.

A deployment has a process of its own, so its subject is the whole process's: it holds for every thread (the hold keeper,
the monitor, a library's) and for lines of libraries that know nothing of deployments. Contextvars alone would not reach
threads. A process that looks after several (the sweep, a hook) names the one at hand with `about`.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Self

from interlock.models.deployment import Deployment

DEFAULT_STREAM = "interlock"


@dataclass(frozen=True)
class Subject:
    """The fields that each line carries where they are known."""

    correlation_id: str | None = None
    environment: str | None = None
    stack_name: str | None = None
    flow_run_id: str | None = None

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        return cls(deployment.correlation_id, deployment.environment, deployment.stack_name, deployment.flow_run_id)


class _Process:
    """This process's subject, and the name of its stream while it is about no deployment."""

    subject = Subject()
    stream = DEFAULT_STREAM


_at_hand: ContextVar[Subject | None] = ContextVar("subject", default=None)


def process_is_about(subject: Subject) -> None:
    """From now on, in all threads."""
    _Process.subject = subject


def process_writes_to(stream: str) -> None:
    """The stream of a process that serves no single deployment, or none yet."""
    _Process.stream = stream


@contextmanager
def about(subject: Subject) -> Iterator[None]:
    """Within it, lines of this thread are about this one."""
    token = _at_hand.set(subject)
    try:
        yield
    finally:
        _at_hand.reset(token)


def subject() -> Subject:
    return _at_hand.get() or _Process.subject


def stream_name() -> str:
    """The log stream of this process: its deployment's own, or that of its kind."""
    mine = _Process.subject
    return f"{mine.environment}/{mine.correlation_id}" if mine.correlation_id else _Process.stream


class AddSubject(logging.Filter):
    """Gives each line its subject; what it says of itself (Prefect's lines name their run) stays.

    A filter of the handlers, not of loggers: those are not asked about the lines of their children.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in asdict(subject()).items():
            if getattr(record, name, None) is None:
                setattr(record, name, value)
        return True
