"""Asking again until there is an answer, within a bound; a read that fails is asked again (promise 10)."""

import time
from collections.abc import Callable
from typing import TypeVar

from interlock.clock import Clock, utc_now
from interlock.errors import TemporaryError
from interlock.models.base import Value

T = TypeVar("T")

_GROWTH = 1.5


class Pauses(Value):
    """Seconds between two looks: they grow from the first to the longest, until `patience_seconds` are over."""

    first_seconds: float
    longest_seconds: float
    patience_seconds: float


class Waiting:
    """How to wait: the machine's clock and sleep, or a test's."""

    def __init__(self, clock: Clock = utc_now, sleep: Callable[[float], None] = time.sleep) -> None:
        self.clock = clock
        self.sleep = sleep


def first_answer(look: Callable[[], T | None], pauses: Pauses, waiting: Waiting) -> T | None:
    """What `look` returns as soon as that is not None; None when the patience ends.

    Raises:
        TemporaryError: the last look before the end of the patience failed.
    """
    ends_at, pause = waiting.clock().timestamp() + pauses.patience_seconds, pauses.first_seconds
    while True:
        is_last = waiting.clock().timestamp() + pause > ends_at
        try:
            if (answer := look()) is not None or is_last:
                return answer
        except TemporaryError:
            if is_last:
                raise
        waiting.sleep(pause)
        pause = min(pause * _GROWTH, pauses.longest_seconds)
