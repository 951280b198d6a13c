"""Make an installation ready: registry table, slots, Prefect deployments. Safe to run again at any time.

`interlock setup [--work-pool NAME]`
"""

from collections.abc import Iterator

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists

from deployments.catalogue import prefect_deployments
from deployments.command import Parser, command
from interlock.wiring import Installation, installation
from tasks.prefect_side import ensure_limit

WORK_POOL = "interlock"


def set_up(here: Installation, prefect: SyncPrefectClient) -> Iterator[str]:
    """The registry and the slots; yields a line for each thing done."""
    here.registry.prepare()
    yield f"registry {here.settings.registry_url} is ready"
    for environment in here.environments.values():
        yield ensure_limit(prefect, environment.slot_name) or f"slot {environment.slot_name} is as it should be"


def register(prefect: SyncPrefectClient, deployments: list[RunnerDeployment], work_pool: str) -> Iterator[str]:
    """The Prefect deployments, for workers of this pool. Prefect updates those that exist by name."""
    _ensure_work_pool(prefect, work_pool)
    for deployment in deployments:
        deployment.apply()
        yield f"Prefect deployment {deployment.flow_name}/{deployment.name} is registered (work pool {work_pool})"


def _ensure_work_pool(prefect: SyncPrefectClient, name: str) -> None:
    try:
        prefect.create_work_pool(WorkPoolCreate(name=name, type="process"))
    except ObjectAlreadyExists:
        return  # made by an earlier setup, or by a person who chose another type


@command
def main() -> None:
    parser = Parser("interlock setup", __doc__)
    parser.add_argument("--work-pool", default=WORK_POOL, help="the work pool whose workers run deployments")
    work_pool: str = parser.parse_args().work_pool
    here = installation()
    with get_client(sync_client=True) as prefect:
        for line in set_up(here, prefect):
            print(line)
        for line in register(
            prefect, prefect_deployments(here.environments.values(), work_pool_name=work_pool), work_pool
        ):
            print(line)
    print(f"Ready. Start a worker: prefect worker start --pool {work_pool}")


if __name__ == "__main__":
    main()
