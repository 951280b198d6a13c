"""Correlation ids: `YYYYMMDD-HHMMSS-xxxxxxxx`, UTC, eight hex digits.

The digits make a collision rare; the registry's conditional write makes it impossible (promise 2): on
`CorrelationIdTakenError` the caller makes another one.
"""

import re
import secrets
from datetime import datetime

PATTERN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_RECOVERY = "recovery-"
_MARK = re.compile(rf"\[{PATTERN.pattern}\] ")


def new_correlation_id(now: datetime) -> str:
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"


def is_correlation_id(text: str) -> bool:
    return PATTERN.fullmatch(text) is not None


def new_recovery_id(now: datetime) -> str:
    """The owner of a recovery's hold and the token of its operation: by its form no deployment's, whoever reads it."""
    return f"{_RECOVERY}{new_correlation_id(now)}"


def is_recovery_id(text: str) -> bool:
    return text.startswith(_RECOVERY) and is_correlation_id(text.removeprefix(_RECOVERY))


def marked(line: str, correlation_id: str | None) -> str:
    """A line of the log that says whose it is."""
    return f"[{correlation_id}] {line}" if correlation_id else line


def unmarked(line: str) -> str:
    """The line alone, for whoever sees a single deployment's."""
    mark = _MARK.match(line)
    return line[mark.end() :] if mark else line
