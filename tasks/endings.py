"""How a run ends when its flow could not say so itself: Prefect's state hooks. They may race with the sweep and each other.

A hook may run in the engine or, when that is dead, in the runner's process. So it relies on nothing but the flow run's id.
"""

import logging
from typing import Any, NamedTuple

from prefect import Flow, State
from prefect.client.schemas.objects import FlowRun

from interlock.models.deployment import Deployment
from interlock.models.outcome import Outcome
from interlock.recovery import Recovery, Settled, Verdict
from interlock.wiring import Installation, installation
from tasks.adoption import adopt, begin_again, end_run
from tasks.artifacts import publish_outcome
from tasks.notify import deliver_for
from tasks.prefect_side import give_back_lease
from tasks.run_log import about, begin_log, run_log
from tasks.secret_values import gateway_to_settle
from tasks.states import state_of


def final_state(outcome: Outcome) -> State:
    """The run's last state, said in its log too: as an error if it is one, so that the page's filter for them finds it."""
    state = state_of(outcome)
    run_log().log(
        logging.ERROR if state.is_failed() else logging.INFO,
        "%s%s",
        outcome.title,
        f": {outcome.reason.splitlines()[0]}" if outcome.reason else ".",
        extra={"event": f"DEPLOYMENT_{outcome.status.value}"},
    )
    return state


def close_failed(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect's names
    """The flow raised, or returned a failed outcome (which is on record already: then this changes nothing)."""
    found = _settle(flow_run, why=f"The deployment's flow failed: {state.message or 'no reason given'}.")
    if found is None and state.name == _RAISED:  # such as: Prefect's server went away as it began
        begin_again(flow_run.id)
    _publish(found)


def close_crashed(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - Prefect's names
    """The engine died. "Crashed" is how the process ended; the record says how the deployment did."""
    found = _settle(flow_run, why=f"The deployment's process died: {state.message or 'no reason given'}")
    if found is None:
        begin_again(flow_run.id)
    elif found.deployment.status.is_final:
        end_run(found.deployment, found.settled.outcome)


def close_cancelled(flow: Flow[..., Any], flow_run: FlowRun, state: State) -> None:  # noqa: ARG001 - as above
    """A person cancelled the run."""
    _publish(_settle(flow_run, why="Cancelled by a person.", cancelled=True))


_RAISED = "Failed"
"""Prefect's name for the end of a flow that raised. What the flow itself refuses ends under another (Invalid)."""


class _Found(NamedTuple):
    """A run's deployment, as it stands once it has been settled."""

    deployment: Deployment
    settled: Settled


def _settle(run: FlowRun, *, why: str, cancelled: bool = False) -> _Found | None:
    """None if the run never came to be a deployment."""
    here = installation()
    begin_log()  # it may be the first of ours in this process: a worker's
    deployment = here.registry.deployments.of_flow_run(str(run.id))
    if deployment is None:
        return None
    with about(deployment):
        return _settle_deployment(here, deployment, why=why, cancelled=cancelled)


def _settle_deployment(here: Installation, deployment: Deployment, *, why: str, cancelled: bool) -> _Found:
    environment = here.environment_of(deployment)
    recovery = Recovery(here.registry, environment, gateway_to_settle(deployment), here.clock)
    settled = recovery.settle(deployment.correlation_id, why=why, cancelled=cancelled)
    run_log().info("%s: %s", deployment.correlation_id, settled.verdict)
    if deployment.slot_lease_id:
        give_back_lease(deployment.slot_lease_id)  # or the next one waits for its end, up to a minute
    if settled.verdict.must_be_seen_through or settled.verdict in (Verdict.WAITS_FOR_APPROVAL, Verdict.UNKNOWN):
        run_log().info("%s", adopt(deployment, cancelled=cancelled).words)
    elif settled.verdict is Verdict.FINISHED:
        deliver_for(deployment.correlation_id)
    return _Found(here.registry.deployments.get(deployment.correlation_id), settled)


def _publish(found: _Found | None) -> None:
    if found and found.settled.outcome:
        publish_outcome(found.deployment, found.settled.outcome)
