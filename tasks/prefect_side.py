"""What tasks ask of Prefect itself: who this run is, who asked earlier, the environment's limit.

Prefect's server may be away in the middle of a deployment: what is asked here is then left undone, never fatal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, GlobalConcurrencyLimitUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectException
from prefect.states import Scheduled

from interlock.models.deployment import Deployment
from tasks.run_log import run_log

SWEEP = "stall-sweep/scheduled"

UNREACHABLE = (httpx.HTTPError, PrefectException, RuntimeError)
"""What the client raises when the server is away or answers nonsense."""


def current_flow_run() -> FlowRun:
    """The deploy run that this code is part of."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("This must be called within a flow run.")
    return context.flow_run


@contextmanager
def best_effort(what: str) -> Iterator[None]:
    """Do it if Prefect's server answers; otherwise say so in the log and go on with the deployment."""
    try:
        yield
    except UNREACHABLE as error:
        run_log().warning("Prefect's server did not take this (%s): %s", what, error)


def client() -> SyncPrefectClient:
    return get_client(sync_client=True)


def name_the_run(deployment: Deployment) -> None:
    """`<environment> <correlation id>`: how people and clients find the run of a deployment, and of a retried run the last.

    Each attempt's correlation id stays among the tags. The environment is there already, by its Prefect deployment.
    """
    run = current_flow_run()
    tags = {*run.tags, deployment.correlation_id}
    with best_effort("the run's name"), client() as prefect:
        prefect.update_flow_run(run.id, name=f"{deployment.environment} {deployment.correlation_id}", tags=sorted(tags))


def earlier_runs(environment: str, *, than: datetime) -> list[str]:
    """The ids of this environment's runs that were asked for before `than` and have not ended."""
    runs = _deploy_runs(environment, StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)
    return [str(run.id) for run in runs if run.created and run.created < than and not _is_for_later(run, than)]


def runs_under_way(environment: str | None = None) -> list[FlowRun]:
    """The deploy runs, of one environment or of all, that a process works on, or so Prefect believes."""
    return _deploy_runs(environment, StateType.PENDING, StateType.RUNNING)


def suspended_runs(environment: str) -> list[FlowRun]:
    """Those that wait for a person, without a process."""
    return _deploy_runs(environment, StateType.PAUSED)


def _deploy_runs(environment: str | None, *types: StateType) -> list[FlowRun]:
    of_environment = DeploymentFilter(name=DeploymentFilterName(any_=[environment])) if environment else None
    with client() as prefect:
        return prefect.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=["deploy"])),
            deployment_filter=of_environment,
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types)))),
        )


def sweep_soon(prefect: SyncPrefectClient, *, in_seconds: float = 15) -> None:
    """Ask for a sweep before the scheduled one; those asked for at about the same time are one."""
    at = datetime.now(UTC) + timedelta(seconds=in_seconds)
    sweep = prefect.read_deployment_by_name(SWEEP)
    prefect.create_flow_run_from_deployment(
        sweep.id, state=Scheduled(scheduled_time=at), idempotency_key=f"sweep-soon-{int(at.timestamp() // in_seconds)}"
    )


def flow_run_state(flow_run_id: str) -> State | None:
    """The run's state; None when Prefect does not know the run."""
    try:
        with client() as prefect:
            return prefect.read_flow_run(UUID(flow_run_id)).state
    except ObjectNotFound:
        return None


def _is_for_later(run: FlowRun, than: datetime) -> bool:
    return run.next_scheduled_start_time is not None and run.next_scheduled_start_time > than


def ensure_limit(prefect: SyncPrefectClient, name: str) -> str | None:
    """Make sure that the slot limits to one; returns what was done, or None.

    `concurrency(..., strict=True)` limits nothing when the limit is inactive. One that exists is never deleted and made
    anew: while it is held, that lets a second holder in.
    """
    try:
        limit = prefect.read_global_concurrency_limit_by_name(name)
    except ObjectNotFound:
        return _create_limit(prefect, name)
    if limit.active and limit.limit == 1:
        return None
    prefect.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(limit=1, active=True))
    return f"slot {name} mended: it was {'active' if limit.active else 'inactive'} with a limit of {limit.limit}"


def free_slot(prefect: SyncPrefectClient, name: str) -> None:
    """Take a slot away that nobody has; call this only when the hold and a dead holder's lease have run out."""
    prefect.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(active_slots=0))


def give_back_lease(lease_id: str) -> None:
    """Give back the slot that a process which is dead had by this lease; nothing, if the lease is over."""
    with best_effort("the slot of a dead process"), client() as prefect:
        prefect.release_concurrency_slots_with_lease(UUID(lease_id))


def slot_taken_since(prefect: SyncPrefectClient, name: str) -> datetime | None:
    """When the slot's count was last touched, if it is taken."""
    limit = prefect.read_global_concurrency_limit_by_name(name)
    return limit.updated if limit.active_slots else None


def _create_limit(prefect: SyncPrefectClient, name: str) -> str | None:
    try:
        prefect.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=name, limit=1, active=True))
    except ObjectAlreadyExists:
        return None  # somebody else was faster
    return f"slot {name} created"
