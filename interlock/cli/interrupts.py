"""Ctrl-C and its like: what they do to this client, and to the deployment that it follows.

GitHub sends SIGINT to a job that is cancelled, SIGTERM 7.5 s later, and kills it after another 2.5 s. Other CIs begin with
SIGTERM, and a terminal that goes away sends SIGHUP.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from interlock.cli import outcome as outcomes
from interlock.cli.outcome import Outcome
from interlock.errors import AlreadyFinishedError, InterlockError
from interlock.prefect_api import PrefectApi
from interlock.prefect_values import FlowRun

LEAVE, CANCEL = "leave", "cancel"
"""What becomes of the deployment."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Each of the signals means Ctrl-C. One that is ignored (`nohup`, a shell's background) stays ignored."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    wanted = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def cancel(api: PrefectApi, run: FlowRun, environment: str) -> Outcome:
    """Have Prefect cancel the run. Its end is not waited for: whoever interrupted us will soon kill us."""
    with undisturbed():
        try:
            return _cancel(api, run, environment)
        except InterlockError as error:
            reason = f"Interrupted, but the deployment could not be cancelled: {error.message} It goes on."
            return outcomes.make("STILL_RUNNING", environment, {"reason": reason}, api=api, run=run)


def _cancel(api: PrefectApi, run: FlowRun, environment: str) -> Outcome:
    try:
        api.cancel(run, reason="The CI job, or the person, that asked for it and followed it was interrupted.")
        if run.is_suspended:
            api.sweep()
    except AlreadyFinishedError:
        # Of a process that died it may not be the end: another one sees the deployment through.
        run = api.flow_run(run.id)
        outcome = outcomes.read(api, run, environment) if run.is_final else None
        if outcome is None:
            raise
        return outcome
    return outcomes.make("CANCELLING", environment, api=api, run=run)


@contextmanager
def undisturbed() -> Iterator[None]:
    """The second signal must not end what the first one began."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
