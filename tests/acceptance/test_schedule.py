"""The sweep and the delivery run by themselves."""

import time

import httpx
import pytest

from deployments.rehearsal_system import RehearsalSystem
from interlock.plain_http import NO_CERTIFICATES


@pytest.mark.parametrize("flow", ["stall-sweep", "deliver-messages"])
def test_the_next_runs_are_scheduled_by_the_server(system: RehearsalSystem, flow: str) -> None:
    """With the wrong SQLAlchemy the server's scheduler fails silently (docs/decisions, 4)."""
    body = {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    deadline = time.monotonic() + 60
    url = f"{system.api_url}/flow_runs/filter"
    while not httpx.post(url, json=body, timeout=30, verify=NO_CERTIFICATES).raise_for_status().json():
        assert time.monotonic() < deadline, f"no run of {flow} is scheduled"
        time.sleep(1)
