"""The Prefect deployments of an installation: one `deploy` per environment, and two on a schedule.

`prefect.yaml` lists the same for `prefect deploy`; a test holds the two together.
"""

import os
from collections.abc import Iterable
from datetime import timedelta

from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Interval

from deployments import ROOT
from interlock.models.environment import Environment

SWEEP_EVERY = timedelta(minutes=5)
DELIVER_EVERY = timedelta(minutes=1)


def prefect_deployments(
    environments: Iterable[Environment], *, work_pool_name: str | None = None
) -> list[RunnerDeployment]:
    """All of them, for a work pool, or (without one) to be served by a runner on this machine.

    Loads the flows by their path entrypoints, so the working directory must be the installation's root.
    """
    os.chdir(ROOT)
    deploys = [_deploy(environment, work_pool_name) for environment in environments]
    return [*deploys, *_scheduled(work_pool_name)]


def _deploy(environment: Environment, work_pool_name: str | None) -> RunnerDeployment:
    return RunnerDeployment.from_entrypoint(
        "flows/deploy.py:deploy",
        name=environment.name,
        parameters={"environment": environment.name},
        tags=["interlock", f"environment:{environment.name}"],
        description=f"Deploys the stack {environment.stack_name} in {environment.region}, one deployment at a time.",
        work_pool_name=work_pool_name,
    )


def _scheduled(work_pool_name: str | None) -> list[RunnerDeployment]:
    return [
        RunnerDeployment.from_entrypoint(
            "flows/sweep.py:stall_sweep",
            name="scheduled",
            schedule=Interval(SWEEP_EVERY),
            tags=["interlock"],
            description="Finishes what a crash left behind: records, tickets, holds, slots, messages.",
            work_pool_name=work_pool_name,
        ),
        RunnerDeployment.from_entrypoint(
            "flows/deliver.py:deliver_messages",
            name="scheduled",
            schedule=Interval(DELIVER_EVERY),
            tags=["interlock"],
            description="Sends the Slack messages that their own run could not.",
            work_pool_name=work_pool_name,
        ),
    ]
