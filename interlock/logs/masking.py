"""The last place where a secret can be kept out of the log: every line passes here before any handler writes it."""

import logging
from collections.abc import Callable

Redactor = Callable[[str], str]
"""A text, less its secrets. It must be quick, and may be given the same text twice."""

WITHHELD = "(withheld: this line could not be masked)"

_redactors: list[Redactor] = []
_formatter = logging.Formatter()


def mask_with(redact: Redactor) -> None:
    """From now on every line of this process goes through this redactor too. Without any, lines are as they were."""
    if redact not in _redactors:
        _redactors.append(redact)


def unmask() -> None:
    """Forget all redactors: for tests."""
    _redactors.clear()


class Mask(logging.Filter):
    """Rewrites the message, the traceback and the stack in place, so that handlers without this filter are safe too.

    It never raises: an exception here would come out of the deployment's own call to the logger.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            _rewrite(record)
        except Exception:  # noqa: BLE001 - arguments that do not fit, a failing redactor: the text may hold a secret
            record.msg, record.exc_info, record.exc_text, record.stack_info = WITHHELD, None, None, None
        record.args = None
        return True


def _rewrite(record: logging.LogRecord) -> None:
    record.msg = _redacted(record.getMessage())
    if record.exc_info:
        # Formatters use this text where it is set, and so print no traceback of their own.
        record.exc_text = _redacted(record.exc_text or _formatter.formatException(record.exc_info))
    if record.stack_info:
        record.stack_info = _redacted(record.stack_info)


def _redacted(text: str) -> str:
    for redact in _redactors:
        text = redact(text)
    return text
