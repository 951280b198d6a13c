"""What people see of a run in the Prefect UI while it deploys: one bar and one table, renewed in place."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from interlock.monitoring.progress import Ledger, ResourceState
from interlock.monitoring.resource_table import resource_table
from tasks import artifacts
from tests.unit.monitoring.replay import START, changes_of, line, sequential

RUN = str(uuid4())


@dataclass
class Stored:
    id: UUID
    key: str
    flow_run_id: UUID | None
    kind: str
    data: Any
    description: str | None
    metadata_: dict[str, str] | None = None


@dataclass
class FakePrefect:
    """Prefect's client, as far as artifacts go: what is stored, in the server's order."""

    stored: list[Stored] = field(default_factory=list)
    is_away: bool = False

    def create_artifact(self, artifact: Any) -> Stored:
        new = Stored(
            uuid4(), artifact.key, artifact.flow_run_id, artifact.type, artifact.data, artifact.description,
            artifact.metadata_,
        )  # fmt: skip
        self.stored.append(new)
        return new

    def update_artifact(self, artifact_id: UUID, artifact: Any) -> None:
        (found,) = [each for each in self.stored if each.id == artifact_id]
        found.data, found.description = artifact.data, artifact.description

    def read_artifacts(self, *, artifact_filter: Any) -> list[Stored]:
        keys, runs = artifact_filter.key.any_, artifact_filter.flow_run_id.any_
        return [each for each in self.stored if each.key in keys and each.flow_run_id in runs]


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    fake = FakePrefect()

    @contextmanager
    def client() -> Iterator[FakePrefect]:
        if fake.is_away:
            raise httpx.ConnectError("refused")
        yield fake

    monkeypatch.setattr(artifacts, "client", client)
    return fake


def test_the_bar_and_the_table_are_one_artifact_each_of_the_deployments_own_run(prefect: FakePrefect) -> None:
    bar, table = artifacts.ProgressArtifact(RUN), artifacts.ResourceTable(RUN)
    for percent in (0, 40, 100):
        bar.show(percent, f"{percent} of 100")
        table.show([{"State": "done", "Seconds": percent}], "so far", at=START)
    assert [(each.kind, each.key, str(each.flow_run_id)) for each in prefect.stored] == [
        ("progress", "interlock-progress", RUN),
        ("table", "interlock-resources", RUN),
    ]
    assert (prefect.stored[0].data, prefect.stored[0].description) == (100, "100 of 100")
    assert json.loads(prefect.stored[1].data) == [{"State": "done", "Seconds": 100}]


def test_after_a_crash_the_runs_artifact_is_found_again_and_another_runs_is_left_alone(prefect: FakePrefect) -> None:
    other = str(uuid4())
    for run, percent in ((RUN, 10), (other, 20), (RUN, 30)):
        artifacts.ProgressArtifact(run).show(percent, "")
    assert [(str(each.flow_run_id), each.data) for each in prefect.stored] == [(RUN, 30), (other, 20)]


def test_a_server_that_is_away_costs_the_artifact_alone(prefect: FakePrefect) -> None:
    bar = artifacts.ProgressArtifact(RUN)
    prefect.is_away = True
    bar.show(10, "")
    prefect.is_away = False
    bar.show(20, "")
    assert [each.data for each in prefect.stored] == [20]


def test_the_table_is_renewed_every_few_seconds_alone(prefect: FakePrefect) -> None:
    table = artifacts.ResourceTable(RUN)
    assert table.is_due(START)
    table.show([], "", at=START)
    assert not table.is_due(START + timedelta(seconds=artifacts.TABLE_SECONDS - 0.1))
    assert table.is_due(START + timedelta(seconds=artifacts.TABLE_SECONDS))
    assert len(prefect.stored) == 1


def test_the_table_shows_what_needs_attention_first_with_its_seconds() -> None:
    ledger = Ledger(changes_of(sequential(2, 9, 2)))
    ledger.write(each for each in sequential(2, 9, 2) if (each.timestamp - START).total_seconds() < 5)
    ledger.write([line(5, "Bad", "CREATE_FAILED", "secret reason")])
    rows = resource_table(ledger.progress(START + timedelta(seconds=6)))
    kind = "AWS::SNS::Topic"
    assert rows == [
        {"State": ResourceState.FAILED, "Resource": "Bad", "Type": kind, "Seconds": None},
        {"State": ResourceState.RUNNING, "Resource": "R1", "Type": kind, "Seconds": 4},
        {"State": ResourceState.WAITING, "Resource": "R2", "Type": kind, "Seconds": None},
        {"State": ResourceState.DONE, "Resource": "R0", "Type": kind, "Seconds": 2},
    ]
