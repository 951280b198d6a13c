"""Where the log goes: every handler of this process gets the subject, the mask and the right way of writing."""

import logging
import sys
from collections.abc import Callable, Iterable, Iterator

from interlock.logs.lines import JsonLine, MarkedLine
from interlock.logs.masking import Mask
from interlock.logs.subject import AddSubject


def set_up(
    root: logging.Logger,
    *,
    as_json: bool,
    run_loggers: Iterable[logging.Logger] = (),
    make_distant: Callable[[], logging.Handler | None] = lambda: None,
) -> None:
    """Prepare the handlers of `root` and of the loggers that people follow. Again, it changes nothing.

    `as_json` is for what is written here; a run's log is for people and stays text. `make_distant` makes the handler
    that also takes every line elsewhere, if there is to be one.
    """
    _write_here(root, as_json=as_json)
    handlers = list(_handlers(root, *run_loggers))
    if not any(_is_prepared(handler) for handler in root.handlers) and (distant := make_distant()):
        root.addHandler(distant)
        handlers.append(distant)
    for handler in handlers:
        _prepare(handler)


def _write_here(root: logging.Logger, *, as_json: bool) -> None:
    """Prefect's console handler folds and decorates what it writes, so for JSON a plain one takes its place."""
    replaced = [handler for handler in root.handlers if as_json and _is_decorating(handler)]
    for handler in replaced:
        root.removeHandler(handler)
    if replaced:
        plain = logging.StreamHandler(sys.stderr)
        plain.setFormatter(JsonLine())
        root.addHandler(plain)


def _is_decorating(handler: logging.Handler) -> bool:
    is_here = isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler)
    return is_here and not isinstance(handler.formatter, JsonLine)


def _handlers(*loggers: logging.Logger) -> Iterator[logging.Handler]:
    for logger in loggers:
        yield from logger.handlers


def _is_prepared(handler: logging.Handler) -> bool:
    return any(isinstance(known, AddSubject) for known in handler.filters)


def _prepare(handler: logging.Handler) -> None:
    if _is_prepared(handler):
        return
    handler.addFilter(AddSubject())
    handler.addFilter(Mask())
    if not isinstance(handler.formatter, JsonLine):
        handler.setFormatter(MarkedLine(handler.formatter))
