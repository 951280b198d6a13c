"""The monitor's life: it begins with the operation and ends with it, whatever happens to it in between (promise 5)."""

import threading
from collections.abc import Callable
from itertools import chain, repeat
from typing import Protocol

_RESTART_PAUSES_SECONDS = (2.0, 4.0, 8.0, 16.0, 32.0)
_LONGEST_RESTART_PAUSE_SECONDS = 60.0


class Teller(Protocol):
    """Who tells people of the operation, over all the lives of its monitor."""

    @property
    def unwatched_seconds(self) -> float:
        """Since the observation that was last reported."""
        ...

    def announce_gap(self, seconds: float) -> None: ...
    def report_trouble(self, what: str, error: Exception) -> None: ...


def keep_alive(run: Callable[[], object], teller: Teller, stop: threading.Event) -> None:
    """Run the monitor until the operation's end; start it again, more and more rarely, when `run` raises.

    Raises nothing of the monitor's own. One that crashed while it was being stopped gets a last life: without it, the
    operation's last lines would be missing from the record.
    """
    pauses = chain(_RESTART_PAUSES_SECONDS, repeat(_LONGEST_RESTART_PAUSE_SECONDS))
    while True:
        is_last_life = stop.is_set()
        if _survived("The monitor crashed", run, teller) or is_last_life:
            return
        stop.wait(next(pauses))
        _survived("The gap could not be announced", lambda: teller.announce_gap(teller.unwatched_seconds), teller)


def _survived(trouble: str, attempt: Callable[[], object], teller: Teller) -> bool:
    try:
        attempt()
    except Exception as error:  # noqa: BLE001 - the monitor is help: nothing that it meets may fail the deployment
        teller.report_trouble(trouble, error)
        return False
    return True
