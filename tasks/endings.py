"""How a run ends when its flow could not say so itself: Prefect's state hooks. They may race with the sweep and each other.

A hook may run in the engine or, when that is dead, in the runner's process. So it relies on nothing but the flow run's id.
"""

from typing import Any

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun
from prefect.states import AwaitingRetry, Cancelled, Completed, Failed

from interlock.models.deployment import DeploymentStatus
from interlock.models.outcome import Outcome
from interlock.recovery import Recovery, Verdict
from interlock.timing import ADOPTIONS_AT_MOST
from interlock.wiring import installation
from tasks.artifacts import publish_settled
from tasks.notify import deliver_for
from tasks.prefect_side import client, sweep_soon
from tasks.run_log import run_log


def final_state(outcome: Outcome) -> State:
    """The Prefect state that says how the deployment ended: its name is the outcome in words."""
    make = {
        DeploymentStatus.SUCCEEDED: Completed,
        DeploymentStatus.SUPERSEDED: Cancelled,
        DeploymentStatus.CANCELLED: Cancelled,
    }
    state: State = make.get(outcome.status, Failed)(name=outcome.title, message=outcome.reason)
    run_log().info("%s%s", outcome.title, f": {outcome.reason.splitlines()[0]}" if outcome.reason else ".")
    return state


def close_failed(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect's names
    """The flow raised, or returned a failed outcome (which is on record already: then this changes nothing)."""
    _settle(flow_run, why=f"The deployment's flow failed: {state.message or 'no reason given'}.")


def close_crashed(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect's names
    """The engine died."""
    _settle(flow_run, why=f"The deployment's process died: {state.message or 'no reason given'}")


def close_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - as above
    """A person cancelled the run."""
    _settle(flow_run, why="Cancelled by a person.", cancelled=True)


def _settle(run: FlowRun, *, why: str, cancelled: bool = False) -> None:
    here = installation()
    deployment = here.registry.deployments.of_flow_run(str(run.id))
    if deployment is None:
        return  # it never came to be a deployment
    environment = here.environment(deployment.environment)
    recovery = Recovery(here.registry, environment, here.cloudformation(environment), here.clock)
    settled = recovery.settle(deployment.correlation_id, why=why, cancelled=cancelled)
    run_log().info("%s: %s", deployment.correlation_id, settled.verdict)
    publish_settled(here, deployment.correlation_id, settled)
    if settled.verdict in (Verdict.OPERATION_RUNS, Verdict.UNKNOWN):
        carry_on(run, cancelled=cancelled)
    elif settled.verdict is Verdict.FINISHED:
        deliver_for(deployment.correlation_id)


def carry_on(run: FlowRun, *, cancelled: bool) -> None:
    """Somebody must see the operation through: the run itself again, or (if it must stay cancelled) a sweep, soon."""
    with client() as prefect:
        if cancelled or run.run_count >= ADOPTIONS_AT_MOST:
            sweep_soon(prefect)
        else:
            prefect.set_flow_run_state(run.id, AwaitingRetry(message="Its operation runs: adopting it."), force=True)
