"""What becomes of the flow run of a dead process: started again, ended as its record says, or left alone."""

from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import pytest
from httpx import ConnectError
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import AwaitingRetry, Crashed, Pending, Running

from interlock.errors import PrefectUnreachableError
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.timing import ADOPTIONS_AT_MOST, BEGINNINGS_AT_MOST
from tasks import adoption
from tests.unit.registry.kit import deployment


@dataclass
class FakePrefect:
    """Prefect's client, with one run."""

    run: FlowRun
    states: list[State[Any]] = field(default_factory=list)
    sweeps: int = 0
    is_away: bool = False
    artifacts: list[Any] = field(default_factory=list)

    def read_flow_run(self, _run_id: UUID) -> FlowRun:
        return self.run

    def read_flow_runs(self, **_: object) -> list[FlowRun]:
        return [self.run]

    def read_flow_run_states(self, _run_id: UUID) -> list[State[Any]]:
        if self.is_away:
            raise ConnectError("All connection attempts failed")
        return self.states

    def set_flow_run_state(self, _run_id: UUID, state: State[Any], *, force: bool) -> None:
        assert force  # Prefect would refuse to leave a final state
        self.states.append(state)

    def read_artifacts(self, **_: object) -> list[Any]:
        return []

    def create_artifact(self, artifact: Any) -> Any:
        self.artifacts.append(artifact)
        return artifact.model_copy(update={"id": uuid4()})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        return None


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    fake = FakePrefect(FlowRun(flow_id=uuid4(), state=Crashed(), run_count=1))
    monkeypatch.setattr(adoption, "client", lambda: fake)
    monkeypatch.setattr("tasks.artifacts.client", lambda: fake)
    monkeypatch.setattr(adoption, "current_flow_run", lambda: fake.run)
    monkeypatch.setattr(adoption, "sweep_soon", lambda *_, **__: setattr(fake, "sweeps", fake.sweeps + 1))
    return fake


def of(prefect: FakePrefect, **changes: Any) -> Deployment:
    return deployment(1).model_copy(update={"flow_run_id": str(prefect.run.id), **changes})


def test_a_running_operation_is_adopted_by_its_own_run(prefect: FakePrefect) -> None:
    words, is_begun = adoption.adopt(of(prefect), cancelled=False)
    assert is_begun
    assert "started again" in words
    assert [state.name for state in prefect.states] == ["AwaitingRetry"]
    assert adoption.is_adoption()


@pytest.mark.parametrize("state", [AwaitingRetry(), Pending()])
def test_a_run_that_somebody_else_has_started_again_is_left_alone(prefect: FakePrefect, state: State[Any]) -> None:
    prefect.run.state = state
    assert not adoption.adopt(of(prefect), cancelled=False).is_begun
    assert prefect.states == []


def test_a_cancelled_run_stays_cancelled_and_a_sweep_comes_soon(prefect: FakePrefect) -> None:
    adoption.adopt(of(prefect), cancelled=True)
    assert (prefect.states, prefect.sweeps) == ([], 1)


def test_a_run_that_keeps_dying_is_left_to_the_sweep(prefect: FakePrefect) -> None:
    prefect.run.run_count = ADOPTIONS_AT_MOST
    adoption.adopt(of(prefect), cancelled=False)
    assert (prefect.states, prefect.sweeps) == ([], 1)


def test_a_run_that_died_before_it_was_on_record_begins_again_but_not_for_ever(prefect: FakePrefect) -> None:
    prefect.run.run_count = 0  # of processes that die before the flow begins, Prefect counts none
    assert [adoption.begin_again(prefect.run.id) for _ in range(BEGINNINGS_AT_MOST + 2)] == [
        *[True] * BEGINNINGS_AT_MOST, False, False,
    ]  # fmt: skip
    assert [state.message for state in prefect.states] == [adoption.BEGINNING_AGAIN] * BEGINNINGS_AT_MOST


def test_a_persons_rerun_is_no_adoption(prefect: FakePrefect) -> None:
    adoption.adopt(of(prefect), cancelled=False)
    prefect.states += [Running(), Crashed(), AwaitingRetry(message="Asked for by a person")]
    assert not adoption.is_adoption()


def test_promise_10_while_prefect_is_away_nobody_guesses_that_a_run_is_no_adoption(prefect: FakePrefect) -> None:
    """A guess would deploy once more what is deployed already."""
    adoption.adopt(of(prefect), cancelled=False)
    prefect.is_away = True
    for question in (adoption.is_adoption, adoption.resumed_at):
        with pytest.raises(PrefectUnreachableError):
            question()


def test_a_dead_runs_final_state_and_published_outcome_are_those_on_record(prefect: FakePrefect) -> None:
    ended = of(prefect, status=DeploymentStatus.SUCCEEDED, finished_at=datetime.fromisoformat("2026-03-01T10:00:00Z"))
    adoption.end_run(ended)
    assert [(state.type, state.name) for state in prefect.states] == [("COMPLETED", "Succeeded")]
    outcome, page = prefect.artifacts
    assert outcome.data["status"] == "SUCCEEDED"
    assert "Succeeded" in page.data
