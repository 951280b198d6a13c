"""The sweep's look at Prefect's runs: those that Prefect believes to be under way, though no process of theirs is left.

When a runner dies with its engines, nobody tells Prefect: their runs stay Pending or Running for good.
"""

from datetime import UTC, datetime, timedelta

from prefect.client.schemas.objects import FlowRun

from interlock.models.environment import Environment
from interlock.timing import NEVER_RECORDED_SECONDS, RUN_END_SECONDS
from interlock.wiring import Installation
from tasks.adoption import begin_again, end_run
from tasks.finding import Finding
from tasks.prefect_side import UNREACHABLE, runs_under_way, suspended_runs


def mend_runs(here: Installation, environment: Environment) -> list[Finding]:
    """End those whose deployment has ended, and start those again that died before they were on record."""
    try:
        runs = [*runs_under_way(environment.name), *suspended_runs(environment.name)]
    except UNREACHABLE as error:
        unread = f"the runs could not be read: {error}"
        return [Finding(environment=environment.name, found=unread, done="left", is_left=True)]
    return [finding for run in runs if (finding := _mended(here, environment, run))]


def _mended(here: Installation, environment: Environment, run: FlowRun) -> Finding | None:
    deployment = here.registry.deployments.of_flow_run(str(run.id))
    if deployment is None:
        return _begun_again(here, environment, run)
    # A person's rerun of an ended one is on no record yet, and looks like this: only what began before the end counts.
    ended = deployment.finished_at
    if ended is None or _since(run) > ended or here.clock() - ended < timedelta(seconds=RUN_END_SECONDS):
        return None
    end_run(here.registry.deployments.get(deployment.correlation_id))
    return Finding(
        environment=environment.name,
        correlation_id=deployment.correlation_id,
        found="its run went on after its end",
        done="the run was given its final state",
    )


def _begun_again(here: Installation, environment: Environment, run: FlowRun) -> Finding | None:
    if run.state and run.state.is_paused():
        return None
    if here.clock() - _since(run) < timedelta(seconds=NEVER_RECORDED_SECONDS):
        return None
    is_begun = begin_again(run.id)
    return Finding(
        environment=environment.name,
        found=f"the run {run.name} died before it was on record",
        done="started again" if is_begun else "left: it was started again too often",
        is_left=not is_begun,
    )


def _since(run: FlowRun) -> datetime:
    """When it came into its present state."""
    return run.state.timestamp if run.state else datetime.now(UTC)
