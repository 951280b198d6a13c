"""What the sweep takes for stuck among those that wait for approval, by what Prefect says of their runs."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Crashed, Pending, Running, Scheduled, Suspended

from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.registry import Registry
from interlock.signs_of_life import GRACE
from interlock.wiring import Installation
from tasks import sweep_approvals, sweep_runs
from tests.unit.registry.kit import ENVIRONMENT, NOON, FrozenClock, approval, cid, deployment

_ONE = deployment(1).model_copy(update={"approval": approval(minutes=10)})


def is_stuck(monkeypatch: pytest.MonkeyPatch, state: State[Any] | None, *, minutes: float) -> bool:
    clock = FrozenClock()
    clock.advance(60 * minutes)
    monkeypatch.setattr(sweep_approvals, "flow_run_state", lambda _id: state)
    return sweep_approvals.is_stuck(cast("Installation", SimpleNamespace(clock=clock)), _ONE)


@pytest.mark.parametrize("state", [Suspended(), None])
def test_a_suspended_run_is_as_it_should_be_until_the_approval_expires(
    monkeypatch: pytest.MonkeyPatch, state: State[Any] | None
) -> None:
    assert not is_stuck(monkeypatch, state, minutes=9.99)
    assert is_stuck(monkeypatch, state, minutes=10)


@pytest.mark.parametrize("state", [Scheduled(name="Resuming"), Pending()])
def test_one_that_a_person_has_decided_about_is_left_to_its_process_even_if_that_is_slow(
    monkeypatch: pytest.MonkeyPatch, state: State[Any]
) -> None:
    assert not is_stuck(monkeypatch, state, minutes=11)


@pytest.mark.parametrize("state", [Crashed(), Cancelled()])
def test_a_run_that_has_ended_can_not_be_resumed(monkeypatch: pytest.MonkeyPatch, state: State[Any]) -> None:
    assert is_stuck(monkeypatch, state, minutes=1)


def test_a_run_that_runs_is_between_two_states_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    running: State[Any] = Running(timestamp=NOON)
    minutes = GRACE / timedelta(minutes=1)
    assert not is_stuck(monkeypatch, running, minutes=minutes)
    assert is_stuck(monkeypatch, running, minutes=minutes + 0.1)


def test_while_prefect_is_away_nothing_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_id: str) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(sweep_approvals, "flow_run_state", away)
    clock = FrozenClock()
    clock.advance(3600)
    assert not sweep_approvals.is_stuck(cast("Installation", SimpleNamespace(clock=clock)), _ONE)


@pytest.mark.parametrize(("finished", "ended"), [(True, 1), (False, 0)])
def test_a_suspended_run_whose_deployment_was_superseded_is_given_its_end(
    monkeypatch: pytest.MonkeyPatch, registry: Registry, clock: FrozenClock, *, finished: bool, ended: int
) -> None:
    run = FlowRun(flow_id=uuid4(), state=Suspended(timestamp=NOON))
    registry.deployments.register(deployment(1, flow_run_id=str(run.id)))
    clock.advance(60)
    if finished:
        registry.deployments.finish(cid(1), DeploymentStatus.SUPERSEDED)
    clock.advance(60)
    ends: list[str] = []
    monkeypatch.setattr(sweep_runs, "runs_under_way", lambda _name: [])
    monkeypatch.setattr(sweep_runs, "suspended_runs", lambda _name: [run, FlowRun(flow_id=uuid4(), state=Suspended())])
    monkeypatch.setattr(sweep_runs, "end_run", lambda one: ends.append(one.correlation_id))
    here = cast("Installation", SimpleNamespace(registry=registry, clock=clock))
    environment = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1")
    assert len(sweep_runs.mend_runs(here, environment)) == len(ends) == ended
