"""A logger of its own with one handler that keeps what it would have written."""

import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from interlock.logs import subject
from interlock.logs.subject import DEFAULT_STREAM, Subject

ID = "20261124-101702-0123abcd"
OURS = Subject(correlation_id=ID, environment="staging", stack_name="shop", flow_run_id="run-1")


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def logger(*handlers: logging.Handler) -> logging.Logger:
    made = logging.getLogger(f"test-{uuid.uuid4()}")
    made.propagate = False
    made.setLevel(logging.INFO)
    for handler in handlers:
        made.addHandler(handler)
    return made


@contextmanager
def process_about(about: Subject) -> Iterator[None]:
    subject.process_is_about(about)
    try:
        yield
    finally:
        subject.process_is_about(Subject())
        subject.process_writes_to(DEFAULT_STREAM)
