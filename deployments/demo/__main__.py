"""See Interlock at work: three deployments against a simulated AWS and a local Slack, then a check of what was promised.

Nothing real is touched and nothing stays behind. Exit code 1: an expectation was not met.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from deployments.command import Parser, command
from deployments.demo import summary
from deployments.demo.evidence import gather
from deployments.demo.expectations import check
from deployments.demo.parts import RESOURCE_SECONDS
from deployments.demo.play import Play
from deployments.demo.timeline import Timeline
from deployments.rehearsal_system import RehearsalSystem
from deployments.signals import end_on_sigterm
from interlock.errors import ExitCode

_WIDTH_OF_A_FILE = 160


@command
def main() -> None:
    parser = Parser("interlock demo", __doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running to look at, until Ctrl-C")
    keep: bool = parser.parse_args().keep
    end_on_sigterm()
    sys.exit(show(_console(), keep=keep))


def _console() -> Console:
    """A file or a pipe has no width of its own: the default of 80 would cut the table."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)


def show(console: Console, *, keep: bool = False, has_bars: bool = True) -> int:
    """The whole demo on this console; its exit code."""
    system = RehearsalSystem({"production": {}, "staging": {}}, resource_seconds=RESOURCE_SECONDS)
    with _started(system, console):
        with Timeline(console, has_bars=has_bars) as timeline:
            outcomes = Play(system, timeline).run()
        evidence = gather(system, outcomes)
        checks = check(evidence)
        summary.show_table(console, evidence)
        summary.show_places(console, system, keep=keep)
        summary.show_checks(console, checks)
        if keep:
            _keep(system, console)
    return ExitCode.SUCCEEDED if all(each.is_met for each in checks) else ExitCode.FAILED


@contextmanager
def _started(system: RehearsalSystem, console: Console) -> Iterator[None]:
    began_at = time.monotonic()
    console.print("Starting Prefect, the flows, a simulated AWS and a local Slack: about 20 s ...")
    with system:
        console.print(f"Ready after {time.monotonic() - began_at:.0f} s: {system.api_url}\n")
        yield


def _keep(system: RehearsalSystem, console: Console) -> None:
    console.print("\nRunning until Ctrl-C ...")
    try:
        system.up.supervise()
    except KeyboardInterrupt:
        console.print("Stopping ...")


if __name__ == "__main__":
    main()
