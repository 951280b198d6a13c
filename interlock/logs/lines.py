"""How a line is written: as JSON for machines, or as it was with its correlation id before it, for people."""

import copy
import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from interlock.correlation_id import marked

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters that could forge or hide text on a terminal: all but the tab and the end of a line."""


class JsonLine(logging.Formatter):
    """One JSON object a line; every control character in it is escaped. Fields that are not known are left out."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({name: value for name, value in _fields(record).items() if value is not None})


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "timestamp": _instant(record.created),
        "level": record.levelname,
        "logger": record.name,
        "message": record.getMessage(),
        "event": _text(record, "event"),
        "correlation_id": _text(record, "correlation_id"),
        "environment": _text(record, "environment"),
        "stack_name": _text(record, "stack_name"),
        "flow_run_id": _text(record, "flow_run_id"),
        "task": _text(record, "task_name"),
        "thread": record.threadName,
        "exception": record.exc_text
        or (logging.Formatter().formatException(record.exc_info) if record.exc_info else None),
        "stack": record.stack_info,
    }


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(record: logging.LogRecord, name: str) -> str | None:
    value = getattr(record, name, None)
    return None if value is None else str(value)


class MarkedLine(logging.Formatter):
    """Another formatter's line, its message marked with the correlation id once that is known."""

    def __init__(self, inner: logging.Formatter | None = None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        shown = copy.copy(record)  # other handlers write the same record
        shown.msg = marked(_visible(record.getMessage()), _text(record, "correlation_id"))
        shown.args = None
        return self._inner.format(shown)


def _visible(text: str) -> str:
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
