"""SIGINT and SIGTERM: both end a command in the same orderly way, and neither disturbs it while it ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def end_on_sigterm() -> None:
    """From now on SIGTERM means what Ctrl-C means: KeyboardInterrupt, so that every `with` is left."""
    signal.signal(signal.SIGTERM, _interrupt)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore both while children are being ended: an impatient second Ctrl-C would leave them behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
