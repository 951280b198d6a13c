"""What becomes of a flow run whose process is dead: it is started again, or given the state that its record says.

Called by the hooks, by a waiter and by the sweep, which may race: each looks first whether it has been done.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import AwaitingRetry

from interlock.errors import PrefectUnreachableError
from interlock.models.deployment import Deployment
from interlock.models.outcome import Outcome, outcome_on_record
from interlock.timing import ADOPTIONS_AT_MOST, BEGINNINGS_AT_MOST, ORPHAN_LOOK_SECONDS
from tasks.artifacts import publish_outcome
from tasks.prefect_side import UNREACHABLE, best_effort, client, current_flow_run, sweep_soon
from tasks.states import state_of

ADOPTING = "Its operation runs: adopting it."
RESUMING = "Resuming"
"""Prefect's name for the state of a suspended run that a person has set going again."""
BEGINNING_AGAIN = "Its process died before it was on record: it begins again."


class Adoption(NamedTuple):
    """What was done to have a deployment carried on, in words, and whether its run was started again for that."""

    words: str
    is_begun: bool


def adopt(deployment: Deployment, *, cancelled: bool) -> Adoption:
    """Have the deployment carried on: by the run itself, started again, or by the next sweep."""
    what = "it waits for approval" if deployment.awaits_approval else "its operation runs"
    try:
        with client() as prefect:
            run = _run_of(prefect, deployment)
            # A cancelled run stays cancelled, and one that keeps dying is not started for ever.
            if run is None or cancelled or (run.run_count or 0) >= ADOPTIONS_AT_MOST:
                sweep_soon(prefect, in_seconds=ORPHAN_LOOK_SECONDS)
                return Adoption(f"{what}: looked at again in {ORPHAN_LOOK_SECONDS} s", is_begun=False)
            is_begun = _start_again(prefect, run, ADOPTING)
            return Adoption(f"{what}: adopted by its flow run, started again", is_begun)
    except UNREACHABLE as error:
        left = f"{what}, and Prefect did not take the adoption ({error}): left for the next sweep"
        return Adoption(left, is_begun=False)


def begin_again(flow_run_id: UUID) -> bool:
    """Start a run whose process died before it was on record: nothing was done yet. False if that was tried enough.

    By its id: the run that Prefect hands to a hook is as it was when the runner fetched it, and its state long out of date.
    Prefect's own count of beginnings does not tell: a process that dies before its flow begins is not in it.
    """
    with best_effort("the new beginning of a run"), client() as prefect:
        begun = [state for state in prefect.read_flow_run_states(flow_run_id) if state.message == BEGINNING_AGAIN]
        if len(begun) >= BEGINNINGS_AT_MOST:
            return False
        _start_again(prefect, prefect.read_flow_run(flow_run_id), BEGINNING_AGAIN)
    return True


def end_run(deployment: Deployment, outcome: Outcome | None = None) -> None:
    """Publish the outcome (by default the one on record) and give the run its state: its process died before it could."""
    outcome = outcome or outcome_on_record(deployment)
    publish_outcome(deployment, outcome)
    with best_effort("the run's final state"), client() as prefect:
        if deployment.flow_run_id:
            prefect.set_flow_run_state(UUID(deployment.flow_run_id), state_of(outcome), force=True)


def is_adoption() -> bool:
    """Whether this process carries on: `adopt` started it, or a person's decision did, but nobody who wants it once more.

    Raises:
        PrefectUnreachableError: nobody can tell. A guess of "no" would deploy what was deployed already a second time.
    """
    last = max(_scheduled(), key=lambda state: state.timestamp, default=None)
    return last is not None and (last.message == ADOPTING or last.name == RESUMING)


def resumed_at() -> datetime | None:
    """When a person's decision set this run going again, if that was its last start but for adoptions.

    Raises:
        PrefectUnreachableError: nobody can tell.
    """
    resumed = [state.timestamp for state in _scheduled() if state.name == RESUMING]
    return max(resumed, default=None)


def _scheduled() -> list[State]:
    """Every time that this run was started, or was to be."""
    run = current_flow_run()
    try:
        with client() as prefect:
            return [state for state in prefect.read_flow_run_states(run.id) if state.is_scheduled()]
    except UNREACHABLE as error:
        raise PrefectUnreachableError(
            f"Prefect's server does not say why run {run.id} was started ({error}).",
            next_step="The step is tried again. If it fails for good, retry the run when the server is back.",
        ) from error


def _start_again(prefect: SyncPrefectClient, run: FlowRun, message: str) -> bool:
    """False if somebody else has done it."""
    if run.state and (run.state.is_scheduled() or run.state.is_pending()):
        return False
    prefect.set_flow_run_state(run.id, AwaitingRetry(message=message), force=True)
    return True


def _run_of(prefect: SyncPrefectClient, deployment: Deployment) -> FlowRun | None:
    if deployment.flow_run_id is None:
        return None
    this = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(deployment.flow_run_id)]))
    return next(iter(prefect.read_flow_runs(flow_run_filter=this)), None)
