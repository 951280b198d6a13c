"""`status`, `history` and `show`, over a real registry in a file."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from interlock import wiring
from interlock.clock import utc_now
from interlock.correlation_id import new_recovery_id
from interlock.errors import CloudFormationUnavailableError, RegistryUnavailableError
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.notice import Notice, NoticeKind
from interlock.models.stack import Operation, Stack, StackEvent
from interlock.registry import Registry, open_registry
from interlock.wiring import Installation
from tests.unit.cli.conftest import Interlock

HOLDER, WAITER, LATER = "20261124-060000-00000001", "20261124-060100-00000002", "20261124-060200-00000003"
ENVIRONMENTS = '[environments.staging]\nstack_name = "app"\nregion = "us-east-1"\n'


class FakeCloudFormation:
    """The stack `app`, in a given status."""

    def __init__(self, status: str | None = None, token: str | None = None) -> None:
        self._status = status
        self._token = token

    def stack(self, name: str) -> Stack | None:
        return Stack(name=name, stack_id="arn:app", status=self._status) if self._status else None

    def latest_operation(self, stack: Stack) -> Operation:
        return Operation(token=self._token, started_at=utc_now() - timedelta(minutes=10), status=stack.status)

    def events_of_operation(self, stack_id: str, token: str) -> list[StackEvent]:
        common: dict[str, Any] = {"timestamp": utc_now(), "stack_id": stack_id, "stack_name": "app", "token": token}
        return [StackEvent(event_id="1", logical_id="Db", resource_type="T", status="CREATE_COMPLETE", **common)]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    (tmp_path / "environments.toml").write_text(ENVIRONMENTS, encoding="utf-8")
    monkeypatch.setenv("INTERLOCK_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
    monkeypatch.setenv("INTERLOCK_ENVIRONMENTS", str(tmp_path / "environments.toml"))
    monkeypatch.setattr(wiring, "_current", [])  # this process's installation is made anew, from the above
    return open_registry(f"sqlite:///{tmp_path / 'registry.db'}")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> "Seen":
    return Seen(monkeypatch)


class Seen:
    """What AWS would show."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def stack(self, status: str | None = None, token: str | None = None) -> None:
        fake = FakeCloudFormation(status, token)
        self._monkeypatch.setattr(Installation, "cloudformation", lambda *_: fake)

    def nothing(self) -> None:
        def refuse(*_: object) -> None:
            raise CloudFormationUnavailableError("CloudFormation does not answer.")

        self._monkeypatch.setattr(Installation, "cloudformation", refuse)


def ask(registry: Registry, correlation_id: str) -> Deployment:
    now = utc_now()
    asked = Deployment(
        correlation_id=correlation_id,
        environment="staging",
        stack_name="app",
        region="us-east-1",
        started_at=now,
        updated_at=now,
        asked_at=now,
        actor="alice",
    )
    registry.deployments.register(asked, notices=[Notice(kind=NoticeKind.STARTED, facts={"actor": "alice"})])
    registry.queue.enqueue("staging", correlation_id, now, lifetime_seconds=60)
    return asked


def begin(registry: Registry, correlation_id: str) -> None:
    registry.holds.claim("staging", correlation_id, lifetime_seconds=60, stack_is_quiet=True)


def test_an_environment_that_is_free_is_ready(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    assert registry
    seen.stack("CREATE_COMPLETE")
    assert interlock("status", "staging") == 0
    assert capsys.readouterr().out.startswith("✔ staging: ready to deploy\n  Stack           app CREATE_COMPLETE")


def test_a_recovery_has_the_environment_and_is_no_deployment(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    recovery = new_recovery_id(utc_now())
    registry.holds.claim_for_recovery("staging", recovery, lifetime_seconds=60)
    seen.stack("UPDATE_ROLLBACK_IN_PROGRESS", recovery)
    interlock("status", "staging", "--json")
    report = json.loads(capsys.readouterr().out)
    assert (report["reason"], report["can_deploy"]) == ("FOREIGN_OPERATION_IN_PROGRESS", False)
    assert (report["active_deployment"]["correlation_id"], report["warnings"]) == (None, [])


def test_a_deployment_in_progress_is_exit_code_2_and_told_with_its_queue(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (HOLDER, WAITER, LATER):
        ask(registry, name)
    begin(registry, HOLDER)
    seen.stack("UPDATE_IN_PROGRESS", HOLDER)
    assert interlock("status", "staging") == 2
    output = capsys.readouterr().out
    assert "Deployment already in progress" in output
    assert f"Active          {HOLDER}" in output
    assert "Db: CREATE_COMPLETE" in output
    assert output.index(f"1. in the queue  {WAITER}") < output.index(f"2. in the queue  {LATER}")


def test_the_report_is_json_with_its_fixed_names(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(registry, HOLDER)
    begin(registry, HOLDER)
    ask(registry, WAITER)
    seen.stack("UPDATE_IN_PROGRESS", HOLDER)
    assert interlock("status", "staging", "--json") == 2
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    assert (report["can_deploy"], report["reason"]) == (False, "ACTIVE_DEPLOYMENT_IN_PROGRESS")
    assert report["active_deployment"]["correlation_id"] == HOLDER
    assert report["active_deployment"]["recent_events"] == ["Db: CREATE_COMPLETE"]
    assert [queued["correlation_id"] for queued in report["queue"]] == [WAITER]
    assert captured.err == "Deployment already in progress\n"


def test_an_operation_of_somebody_else_is_exit_code_1(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    assert registry
    seen.stack("UPDATE_IN_PROGRESS", "Console-UpdateStack-1")
    assert interlock("status", "staging") == 1
    assert "not Interlock's" in capsys.readouterr().out


def test_without_aws_the_registry_is_shown_and_nothing_is_called_ready(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    assert registry
    seen.nothing()
    assert interlock("status", "staging", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["can_deploy"], report["reason"]) == (False, "STACK_UNREADABLE")
    assert report["warnings"] == ["CloudFormation does not answer."]


def test_without_aws_an_active_deployment_is_still_told(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(registry, HOLDER)
    begin(registry, HOLDER)
    seen.nothing()
    assert interlock("status", "staging") == 2
    output = capsys.readouterr().out
    assert HOLDER in output
    assert "CloudFormation does not answer." in output


def test_without_the_registry_the_stack_is_shown(
    interlock: Interlock,
    registry: Registry,
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object) -> None:
        raise RegistryUnavailableError("The registry does not answer.")

    monkeypatch.setattr(type(registry.holds), "current", refuse)
    seen.stack("CREATE_COMPLETE")
    assert interlock("status", "staging") == 1
    output = capsys.readouterr().out
    assert "the registry cannot be read" in output
    assert "app CREATE_COMPLETE" in output


@pytest.mark.parametrize("command", ["status", "history"])
def test_an_unknown_environment_is_told_with_the_known_ones(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert registry
    assert interlock(command, "stagin") == 5
    assert "known: staging" in capsys.readouterr().err


def test_history_is_newest_first_and_as_long_as_asked(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (HOLDER, WAITER, LATER):
        ask(registry, name)
    registry.deployments.finish(
        LATER, DeploymentStatus.FAILED, reason="[bold]no such role", events=(), notices=(), changes={}
    )
    assert interlock("history", "staging", "--limit", "2") == 0
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == [LATER, WAITER]
    assert "FAILED" in rows[0]
    assert "[bold]no such role" in rows[0]
    assert interlock("history", "staging", "--json") == 0
    assert [each["correlation_id"] for each in json.loads(capsys.readouterr().out)] == [LATER, WAITER, HOLDER]


def test_an_environment_without_deployments_is_no_error(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert registry
    assert interlock("history", "staging") == 0
    assert capsys.readouterr().out == "staging has no deployments yet.\n"


def test_show_tells_the_record_its_events_and_its_messages(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(registry, HOLDER)
    event = DeploymentEvent(timestamp=utc_now(), event="DEPLOYMENT_REQUESTED", details="by alice")
    registry.deployments.record(HOLDER, events=[event])
    assert interlock("show", HOLDER) == 0
    output = capsys.readouterr().out
    assert output.startswith(f"{HOLDER}  QUEUED\n")
    assert "DEPLOYMENT_REQUESTED        by alice" in output
    assert "Deployment Started" in output
    assert interlock("show", HOLDER, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["events"][0]["event"] == "DEPLOYMENT_REQUESTED"
    assert record["messages"][0]["kind"] == "started"
    assert "Deployment Started" in record["messages"][0]["text"]


def test_show_takes_a_flow_runs_id(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    flow_run_id = "9194bf82-2048-4a56-9241-464c64ddeea0"
    now = utc_now()
    values: dict[str, Any] = {"correlation_id": HOLDER, "environment": "staging", "stack_name": "app", "region": "r"}
    registry.deployments.register(
        Deployment(**values, started_at=now, updated_at=now, asked_at=now, flow_run_id=flow_run_id)
    )
    assert interlock("show", flow_run_id) == 0
    assert capsys.readouterr().out.startswith(HOLDER)


def test_a_deployment_that_is_not_there_is_an_invalid_request(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert registry
    assert interlock("show", HOLDER) == 5
    assert HOLDER in capsys.readouterr().err
