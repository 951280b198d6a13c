"""The status report that a CI gets from Prefect alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from interlock.cli import prefect_situation
from interlock.prefect_api import PrefectApi

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
FIRST, SECOND = "20261124-060457-9b921236", "20261124-061000-0a1b2c3d"


def run(name: str, minutes_ago: int, *, state: str = "RUNNING", has_started: bool = True) -> dict[str, Any]:
    moment = (NOW - timedelta(minutes=minutes_ago)).isoformat()
    state_body = {"type": state, "name": state.title()}
    return {
        "id": f"run-{minutes_ago}",
        "name": name,
        "state": state_body,
        "created": moment,
        "start_time": moment if has_started else None,
    }


def report(*runs: dict[str, Any], progress: str = "3 of 7 resources") -> dict[str, Any]:
    def answer(request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, request.content.decode()
        if path == "/api/deployments/name/deploy/staging":
            return httpx.Response(200, json={"id": "of-staging"})
        if path == "/api/artifacts/filter":
            return httpx.Response(200, json=[{"key": "interlock-progress", "data": 42.0, "description": progress}])
        assert path == "/api/flow_runs/filter"
        return httpx.Response(200, json=list(runs) if "of-staging" in body else [])

    api = PrefectApi({"PREFECT_API_URL": "http://prefect.test/api"}, transport=httpx.MockTransport(answer))
    return prefect_situation.look(api, "staging", now=NOW)


def test_nobody_deploys() -> None:
    found = report()
    assert (found["can_deploy"], found["reason"], found["active_deployment"], found["queue"]) == (
        True,
        "READY",
        None,
        [],
    )


def test_the_oldest_run_is_the_active_one_and_the_others_wait() -> None:
    found = report(run("jolly-lemur", 1, state="SCHEDULED", has_started=False), run(f"staging {FIRST}", 25))
    assert (found["can_deploy"], found["reason"]) == (False, "ACTIVE_DEPLOYMENT_IN_PROGRESS")
    active = found["active_deployment"]
    assert (active["correlation_id"], active["elapsed_minutes"]) == (FIRST, 25)
    assert active["current_status"] == "3 of 7 resources"
    (queued,) = found["queue"]
    assert (queued["position"], queued["waiting_minutes"], queued["correlation_id"]) == (1, 1, "run-1")


def test_the_report_says_what_it_cannot_know() -> None:
    assert "asked of Prefect alone" in report()["warnings"][0]


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "CANCELLING", "SCHEDULED"])
def test_a_run_that_has_not_ended_is_in_the_way_whatever_it_does(state: str) -> None:
    assert not report(run(f"staging {SECOND}", 3, state=state))["can_deploy"]


def test_a_run_that_waits_for_approval_is_in_nobodys_way() -> None:
    found = report(run(f"staging {SECOND}", 3, state="PAUSED"))
    assert found["can_deploy"]
    assert [each["correlation_id"] for each in found["awaiting_approval"]] == [SECOND]
