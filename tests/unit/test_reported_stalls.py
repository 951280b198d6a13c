"""What the monitor writes of an operation: each stall once, and at the end what later estimates need."""

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from interlock.models.notice import NoticeKind
from interlock.models.stack import StackEvent
from interlock.monitoring.watcher import StackWatcher
from interlock.registry import Registry, open_registry
from tasks import monitoring
from tests.unit.monitoring.replay import STACK_ID, START, TOKEN, Clock, Replay, changes_of, line
from tests.unit.registry.kit import cid, enqueue

STALLING = [
    line(0.1, "app", "CREATE_IN_PROGRESS", "User Initiated"),
    line(1, "Topic", "CREATE_IN_PROGRESS"),
    line(401, "Topic", "CREATE_COMPLETE"),
    line(402, "Other", "CREATE_IN_PROGRESS", kind="AWS::IAM::Role"),
    line(1402, "Other", "CREATE_COMPLETE", kind="AWS::IAM::Role"),
    line(1403, "app", "CREATE_COMPLETE"),
]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    clock = Clock()
    found = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    monkeypatch.setattr(monitoring, "installation", lambda: SimpleNamespace(registry=found, clock=clock))
    monkeypatch.setattr(monitoring, "notify", lambda _: None)
    silent = SimpleNamespace(show=lambda *_, **__: None, is_due=lambda _: False)
    monkeypatch.setattr(monitoring, "ProgressArtifact", lambda _: silent)
    monkeypatch.setattr(monitoring, "ResourceTable", lambda _: silent)
    nothing = SimpleNamespace(of_stall=lambda *_: (), of_failure=lambda _: None, take_events=list)
    monkeypatch.setattr(monitoring, "Diagnoses", lambda _: nothing)
    monkeypatch.setattr(monitoring, "log_of", lambda _: logging.getLogger(__name__))
    enqueue(found, 1)
    return found


def report(registry: Registry, events: list[StackEvent]) -> None:
    clock = Clock()
    watcher = StackWatcher(
        Replay(events, clock),
        stack_id=STACK_ID,
        token=TOKEN,
        started_after=START,
        changes=changes_of(events),
        clock=clock,
    )
    reporter = monitoring.Reporter(registry.deployments.get(cid(1)))
    for observation in watcher.follow(clock.sleep):
        reporter.report(observation)


def test_each_stall_is_told_once_a_level_and_so_is_its_end(registry: Registry) -> None:
    report(registry, STALLING)
    notices = [row.notice for row in registry.outbox.rows(cid(1)) if row.notice.kind is not NoticeKind.PROGRESS]
    told = [(each.kind, each.facts.get("severity")) for each in notices]
    assert told[-5:] == [
        (NoticeKind.STALLED, "warning"),
        (NoticeKind.MOVING_AGAIN, None),
        (NoticeKind.STALLED, "warning"),
        (NoticeKind.STALLED, "critical"),
        (NoticeKind.MOVING_AGAIN, None),
    ]
    assert [kind for kind, _ in told].count(NoticeKind.STALLED) == 3


def test_at_the_end_the_record_holds_how_long_each_resource_took(registry: Registry) -> None:
    report(registry, STALLING)
    found = registry.deployments.get(cid(1)).operation
    assert found is not None
    assert {each.logical_id: each.seconds for each in found.resources} == {"Topic": 400, "Other": 1000}
