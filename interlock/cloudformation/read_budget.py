"""The budget of reads: so many a second per account and region, shared by everybody in the process who watches stacks.

AWS's limits are per account and region and unpublished; about 8 to 10 calls a second are throttled, and other people's
tools read there too.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

READS_PER_SECOND = 3
_KEPT_FOR_OTHERS = 1


class ReadBudget:
    """At most `reads_per_second` in any second. (A token bucket that is full lets twice as many through in its first.)

    Safe among threads; first come, first served. `clock` counts seconds and never goes back.
    """

    def __init__(
        self,
        reads_per_second: int = READS_PER_SECOND,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._reads: deque[float] = deque(maxlen=reads_per_second)
        """When the latest were made, or are to be made: whoever waits has been given a moment already."""

    def wait_for_turn(self) -> None:
        """Take one read, and sleep until it is due."""
        with self._lock:
            now = self._clock()
            at = max(now, self._reads[0] + 1) if len(self._reads) == self._reads.maxlen else now
            self._reads.append(at)
        if at > now:
            self._sleep(at - now)

    @property
    def has_spare(self) -> bool:
        """Whether one more read now would still leave one for others: for reads that can as well be left undone."""
        with self._lock:
            now = self._clock()
            return sum(at > now - 1 for at in self._reads) + _KEPT_FOR_OTHERS < (self._reads.maxlen or 0)


_budgets: dict[tuple[str, str | None], ReadBudget] = {}
_budgets_lock = threading.Lock()


def budget_of(region: str, role_arn: str | None) -> ReadBudget:
    """This process's budget for a region of the account that the role (None: the process's own credentials) is in."""
    with _budgets_lock:
        return _budgets.setdefault((region, role_arn), ReadBudget())
