"""The stall sweep: finish what any crash left behind. Running it twice changes nothing more."""

from prefect import State, flow
from prefect.states import Completed

from interlock.errors import InterlockError
from tasks.finding import Finding
from tasks.notify import deliver_waiting
from tasks.sweep import (
    begin_sweep,
    end_sweep,
    failed,
    report,
    sweep_again_soon,
    sweep_environment,
    swept_environments,
    write_missed,
)


@flow(
    name="stall-sweep",
    flow_run_name="all environments",
    description="Finish what a crash left behind: records, tickets, holds, slots, messages.",
)
def stall_sweep() -> State:
    """Sweep every environment, one after the other; one that fails does not stop the others."""
    if not begin_sweep():
        return Completed(name="Skipped", message="Another sweep is running.")
    try:
        findings = write_missed()
        findings += [finding for environment in swept_environments() for finding in _sweep(environment)]
        report(findings)
        deliver_waiting()
        sweep_again_soon()
    finally:
        end_sweep()
    return Completed(message=f"{len(findings)} found" if findings else "Nothing was left behind.")


def _sweep(environment: str) -> list[Finding]:
    try:
        return sweep_environment(environment)
    except InterlockError as error:
        return [failed(environment, error)]
