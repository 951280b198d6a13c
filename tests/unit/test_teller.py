"""What a waiter says of its wait, and when: in the log what changed, in the channel once a minute and of a new lock."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from interlock.models.lock import Lock
from interlock.registry import Registry, open_registry
from interlock.settings import Settings
from interlock.wiring import Installation
from tasks import slot
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, deployment

LOCK = Lock(environment=ENVIRONMENT, by="ada", reason="audit", since=FrozenClock().now)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setattr(slot, "notify", lambda _: None)
    monkeypatch.setattr(slot, "run_log", lambda: logging.getLogger("run"))
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    made = Installation(Settings(INTERLOCK_REGISTRY=url), clock=FrozenClock())
    made.registry.deployments.register(deployment(1))
    return made


def waited(here: Installation) -> list[object]:
    return [row.notice.facts.get("locked_by") for row in registry(here).outbox.rows(cid(1))]


def registry(here: Installation) -> Registry:
    return open_registry(here.settings.registry_url)


def test_the_channel_is_told_once_a_minute(here: Installation) -> None:
    teller = slot._Teller(here, deployment(1), None)
    for seconds in range(125):
        teller.tell(0, timedelta(seconds=seconds), None)
    assert waited(here) == [None, None]


def test_a_lock_that_is_put_on_meanwhile_is_told_at_once_and_then_once_a_minute(here: Installation) -> None:
    teller = slot._Teller(here, deployment(1), None)
    for seconds in range(100):
        teller.tell(0, timedelta(seconds=seconds), LOCK if seconds >= 10 else None)
    assert waited(here) == ["ada", "ada"]


def test_the_lock_that_the_active_check_told_of_is_not_told_again_at_once(here: Installation) -> None:
    teller = slot._Teller(here, deployment(1), LOCK)
    teller.tell(0, timedelta(seconds=1), LOCK)
    assert waited(here) == []


def test_the_log_says_what_changes_and_no_line_twice(here: Installation, caplog: pytest.LogCaptureFixture) -> None:
    teller = slot._Teller(here, deployment(1), None)
    with caplog.at_level(logging.INFO, logger="run"):
        for lock in (None, None, LOCK, LOCK, None):
            teller.tell(0, timedelta(), lock)
    first, locked, again = [record.getMessage() for record in caplog.records]
    assert first == again == "Waiting: first in the queue, the environment is still busy."
    assert "Waiting: 0 ahead in the queue, and the environment is locked by ada" in locked
