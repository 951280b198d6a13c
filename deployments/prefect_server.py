"""`prefect server`, with its garbage collected beside its event loop: `python -m deployments.prefect_server start --port N`.

On SQLite, Prefect's server stands still for a minute at a time under load, unless this is so: see
docs/decisions/0018-the-server-s-garbage-is-collected-beside-it.md.
"""

import gc
import itertools
import sys
import threading
import time

from prefect.cli import app

_PAUSE_SECONDS = 0.5
_YOUNG = 1
_ALL = 2
_ALL_EVERY = 60
"""Passes. The first is after the start: what lives then, half a million objects, is never looked at again."""


def collect_beside() -> None:
    """Take garbage collection off every other thread of this process, and do it in one of its own."""
    gc.disable()
    threading.Thread(target=_collect, name="garbage", daemon=True).start()


def _collect() -> None:
    for number in itertools.count(1):
        time.sleep(_PAUSE_SECONDS)
        gc.collect(_ALL if number % _ALL_EVERY == 0 else _YOUNG)
        if number == _ALL_EVERY:
            gc.freeze()


if __name__ == "__main__":
    collect_beside()
    sys.argv.insert(1, "server")
    app()
