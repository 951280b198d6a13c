"""The reporter outlives its monitor; and what Prefect stores of it says nothing."""

import threading
from pathlib import Path

import pytest

from flows.monitor import monitor
from interlock.models.deployment import Deployment
from interlock.monitoring.watcher import StackWatcher
from interlock.settings import load_settings
from interlock.wiring import Installation
from tasks import monitoring
from tests.unit.monitoring.replay import STACK_ID, START, TOKEN, Clock, Replay, sequential


def test_the_monitors_parameters_are_stored_as_names_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prefect stores a subflow's parameters, `vars()` of unknown objects too: the settings hold the Slack token."""
    monkeypatch.setenv("INTERLOCK_SLACK_TOKEN", "xoxb-planted")
    monkeypatch.setenv("INTERLOCK_HOME", str(tmp_path))
    here = Installation(load_settings())
    monkeypatch.setattr(monitoring, "installation", lambda: here)
    deployment = Deployment(
        correlation_id=TOKEN,
        environment="staging",
        stack_name="app",
        started_at=START,
        updated_at=START,
        region="eu-west-1",
        asked_at=START,
    )
    clock = Clock()
    watcher = StackWatcher(
        Replay(sequential(2), clock), stack_id=STACK_ID, token=TOKEN, started_after=START, clock=clock
    )
    given = {"watcher": watcher, "reporter": monitoring.Reporter(deployment), "stop": threading.Event()}
    stored = monitor.serialize_parameters(given)
    assert stored == {"watcher": "<StackWatcher>", "reporter": "<Reporter>", "stop": "<Event>"}
