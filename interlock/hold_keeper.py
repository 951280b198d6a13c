"""Keeps a hold alive in the background, and tells the truth about it right before every change to the stack."""

import logging
import threading
from types import TracebackType
from typing import Self

from interlock.errors import HoldLostError, TemporaryError
from interlock.models.queue import Hold
from interlock.registry import Registry
from interlock.timing import HOLD_HEARTBEAT_SECONDS, HOLD_LIFETIME_SECONDS

log = logging.getLogger(__name__)


class HoldKeeper:
    """A context in which our hold is renewed. Leaving it stops the renewing and releases nothing.

    The background thread is a courtesy to others (nobody need wonder whether we live); the proof is `guard`. After a
    SIGSTOP the thread may be late, but `guard` asks the registry itself, so an overtaken holder finds out before it
    touches the stack, not after.
    """

    def __init__(self, registry: Registry, hold: Hold) -> None:
        self._registry = registry
        self._hold = hold
        self._lost: HoldLostError | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._renew_until_stopped, name="hold-keeper", daemon=True)

    @property
    def hold(self) -> Hold:
        return self._hold

    @property
    def is_lost(self) -> bool:
        """Whether our fence is known to have been overtaken, by the last renewal: no call of its own."""
        return self._lost is not None

    def guard(self) -> None:
        """Renew the hold now; call it right before each request that changes the stack.

        Raises:
            HoldLostError: our fence has been overtaken. Touch the stack no more.
            RegistryUnavailableError: nobody can say; the call must not be made on a guess.
        """
        with self._lock:
            if self._lost:
                raise self._lost
            try:
                self._hold = self._registry.holds.renew(self._hold, lifetime_seconds=HOLD_LIFETIME_SECONDS)
            except HoldLostError as error:
                self._lost = error
                raise

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=HOLD_HEARTBEAT_SECONDS)

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(HOLD_HEARTBEAT_SECONDS):
            try:
                self.guard()
            except HoldLostError as error:
                log.warning("%s", error)
                return
            except TemporaryError as error:
                log.warning("The hold was not renewed this time: %s", error)
