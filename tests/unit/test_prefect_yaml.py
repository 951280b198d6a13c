"""prefect.yaml, the catalogue and the environments file say the same."""

from datetime import timedelta
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.deployments.runner import RunnerDeployment
from prefect.flows import load_flow_from_entrypoint

from deployments import ROOT
from deployments.catalogue import prefect_deployments
from interlock.environments import load_environments

LISTED: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]

NAMES = {
    "flows/deploy.py:deploy": "deploy",
    "flows/sweep.py:stall_sweep": "stall-sweep",
    "flows/deliver.py:deliver_messages": "deliver-messages",
}


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> list[RunnerDeployment]:
    monkeypatch.chdir(ROOT)
    environments = load_environments(ROOT / "deployments" / "environments.toml")
    return prefect_deployments(environments.values(), work_pool_name="interlock")


@pytest.mark.parametrize("entrypoint", sorted({each["entrypoint"] for each in LISTED}))
def test_every_entrypoint_loads_strictly(entrypoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    flow: Flow[..., Any] = load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    assert flow.name == NAMES[entrypoint]


def test_prefect_yaml_lists_what_setup_registers(catalogue: list[RunnerDeployment]) -> None:
    assert [_essence_of_listed(each) for each in LISTED] == [_essence(each) for each in catalogue]


def _essence(deployment: RunnerDeployment) -> dict[str, Any]:
    intervals = [each.schedule.interval for each in deployment.schedules or []]  # type: ignore[union-attr]
    return {
        "name": deployment.name,
        "entrypoint": deployment.entrypoint,
        "description": deployment.description,
        "parameters": deployment.parameters or {},
        "tags": deployment.tags,
        "intervals": intervals,
        "work_pool": deployment.work_pool_name,
    }


def _essence_of_listed(listed: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": listed["name"],
        "entrypoint": listed["entrypoint"],
        "description": listed["description"],
        "parameters": listed.get("parameters", {}),
        "tags": listed["tags"],
        "intervals": [timedelta(seconds=each["interval"]) for each in listed.get("schedules", [])],
        "work_pool": listed["work_pool"]["name"],
    }
