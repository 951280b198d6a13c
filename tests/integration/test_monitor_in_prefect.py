"""The monitor as a real subflow of Prefect's: it crashes, is started again, and leaves one bar and one table."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.client.schemas.objects import Artifact, StateType
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from prefect.testing.utilities import prefect_test_harness

from flows.deploy import _keep_monitoring
from interlock.models.deployment import Deployment
from interlock.monitoring.watcher import Observation, StackWatcher
from interlock.settings import load_settings
from interlock.wiring import Installation
from tasks import monitoring
from tests.unit.monitoring.replay import STACK_ID, TOKEN, Clock, Replay, changes_of, sequential


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Installation]:
    monkeypatch.setenv("INTERLOCK_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    here = Installation(load_settings(), clock=Clock())
    monkeypatch.setattr(monitoring, "installation", lambda: here)
    monkeypatch.setattr(monitoring, "notify", lambda _: None)
    with prefect_test_harness(server_startup_timeout=60), temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield here


def test_a_monitor_that_crashes_is_started_again_and_its_gap_is_on_record(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, events = cast(Clock, here.clock), sequential(2, 2, 2)
    watcher = StackWatcher(
        Replay(events, clock),
        stack_id=STACK_ID,
        token=TOKEN,
        started_after=clock(),
        changes=changes_of(events),
        clock=clock,
    )
    stop = Moved(clock)
    _crash_at_the_second_report(monkeypatch)

    @flow(name="deploying")
    def deploying() -> str:
        context = FlowRunContext.get()
        assert context is not None
        assert context.flow_run is not None
        deployment = _deployment(here, str(context.flow_run.id))
        _keep_monitoring(deployment, watcher, stop)
        return str(context.flow_run.id)

    run_id = deploying()
    assert watcher.observe().outcome == "CREATE_COMPLETE"
    assert _monitor_states() == {StateType.COMPLETED: 1, StateType.FAILED: 1}
    assert {each.key: each.type for each in _artifacts(run_id)} == {
        "interlock-progress": "progress",
        "interlock-resources": "table",
    }
    assert len(_artifacts(run_id)) == 2
    table = next(each for each in _artifacts(run_id) if each.type == "table")
    assert [row["State"] for row in json.loads(str(table.data))] == ["done"] * 3
    record = here.registry.deployments.get(TOKEN)
    restarts = [each.details for each in record.events if each.event == "MONITOR_RESTARTED"]
    assert restarts == [
        "It ended before the operation; nobody looked for 4 s."
    ]  # 1 s to the look that crashed, 2 to the restart
    assert [each.event for each in record.events].count("SNS_TOPIC_CREATE_COMPLETE") == 3


class Moved(threading.Event):
    """Nobody sets it; waiting for it moves the invented clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.sleep(timeout or 0)
        return False


def _crash_at_the_second_report(monkeypatch: pytest.MonkeyPatch) -> None:
    report, reports = monitoring.Reporter.report, iter(range(100))

    def crashing(reporter: monitoring.Reporter, observation: Observation) -> None:
        if next(reports) == 1:
            raise RuntimeError("planted")
        report(reporter, observation)

    monkeypatch.setattr(monitoring.Reporter, "report", crashing)


def _deployment(here: Installation, flow_run_id: str) -> Deployment:
    now = here.clock()
    deployment = Deployment(
        correlation_id=TOKEN,
        environment="staging",
        stack_name="app",
        started_at=now,
        updated_at=now,
        region="eu-west-1",
        asked_at=now,
        flow_run_id=flow_run_id,
    )
    here.registry.deployments.register(deployment)
    return deployment


def _monitor_states() -> Counter[StateType | None]:
    with get_client(sync_client=True) as prefect:
        runs = prefect.read_flow_runs()
        flows = {each.id: each.name for each in prefect.read_flows()}
    return Counter(run.state_type for run in runs if flows[run.flow_id] == "monitor")


def _artifacts(run_id: str) -> list[Artifact]:
    of_the_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(run_id)]))
    with get_client(sync_client=True) as prefect:
        found = prefect.read_artifacts(artifact_filter=of_the_run)
    return [each for each in found if each.key]  # Prefect keeps the flow's result as one without
