"""The monitor: tells how an operation goes while the deploy task beside it sees it through. It decides nothing."""

import threading

from prefect import flow

from interlock.monitoring.watcher import StackWatcher
from tasks.monitoring import Reporter


@flow(
    name="monitor",
    description="Follow the stack's events: progress, estimate, stall warnings.",
    validate_parameters=False,
)
def monitor(watcher: StackWatcher, reporter: Reporter, stop: threading.Event) -> None:
    """Report each observation until the operation, or the deploy task, has ended.

    Runs as a subflow beside the deploy task; `watcher` is the reader that both share, `reporter` knows what earlier
    monitors of this operation have reported.
    """
    for observation in watcher.follow(stop.wait, reporter.bookmark):
        reporter.report(observation)
        if stop.is_set():
            return
