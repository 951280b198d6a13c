"""`lock`, `unlock`, `locks`, `release`, and what `status` and `deploy` say of locks, over a real registry in a file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interlock import wiring
from interlock.cli.moments import moment
from interlock.clock import utc_now
from interlock.errors import InvalidRequestError, RegistryUnavailableError
from interlock.models.deployment import DeploymentStatus
from interlock.models.lock import Lock
from interlock.registry import Registry, open_registry
from tests.unit.cli.conftest import Interlock
from tests.unit.cli.test_registry_commands import HOLDER, Seen, ask, begin

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
FROZEN = 'freeze = [{ cron = "* * * * *", hours = 2, time_zone = "Europe/Berlin", reason = "always" }]\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Registry]:
    """An installation whose environment `staging` has these settings beside."""

    def made(settings: str) -> Registry:
        table = f'[environments.staging]\nstack_name = "app"\nregion = "us-east-1"\n{settings}'
        (tmp_path / "environments.toml").write_text(table, encoding="utf-8")
        monkeypatch.setenv("INTERLOCK_REGISTRY", f"sqlite:///{tmp_path / 'registry.db'}")
        monkeypatch.setenv("INTERLOCK_ENVIRONMENTS", str(tmp_path / "environments.toml"))
        monkeypatch.setattr(wiring, "_current", [])
        return open_registry(f"sqlite:///{tmp_path / 'registry.db'}")

    return made


@pytest.fixture
def registry(home: Callable[[str], Registry]) -> Registry:
    return home("")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


def current(registry: Registry) -> Lock | None:
    return registry.locks.current("staging")


def test_lock_says_what_it_did_and_unlock_takes_it_off(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("lock", "staging", "--reason", "audit", "--until", "2h", "--actor", "ada") == 0
    lock = current(registry)
    assert lock is not None
    assert lock.until is not None
    assert timedelta(minutes=119) < lock.until - utc_now() <= timedelta(hours=2)
    told = capsys.readouterr().out
    assert "staging is locked by ada" in told
    assert "wait in the queue" in told
    assert interlock("unlock", "staging", "--actor", "ada") == 0
    assert "staging is unlocked. It was locked by ada" in capsys.readouterr().out
    assert current(registry) is None


def test_who_locks_is_the_user_at_this_host_unless_it_is_said(interlock: Interlock, registry: Registry) -> None:
    assert interlock("lock", "staging", "--reason", "audit") == 0
    lock = current(registry)
    assert lock is not None
    user, _, host = lock.by.partition("@")
    assert user
    assert host


@pytest.mark.parametrize("reason", [[], ["--reason", "  "], ["--reason", "x" * 501]])
def test_a_lock_without_a_reason_or_with_a_novel_is_refused(
    interlock: Interlock, registry: Registry, reason: list[str]
) -> None:
    assert interlock("lock", "staging", *reason) == 5
    assert current(registry) is None


@pytest.mark.parametrize("until", ["2020-01-01T00:00", "0m", "tomorrow", "-2h", "99999999999d"])
def test_an_end_that_is_past_or_no_time_is_refused(interlock: Interlock, registry: Registry, until: str) -> None:
    assert interlock("lock", "staging", "--reason", "audit", "--until", until) == 5
    assert current(registry) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW + timedelta(hours=2)),
        ("1d12h", NOW + timedelta(hours=36)),
        ("90m", NOW + timedelta(minutes=90)),
        ("2026-12-24T18:00+01:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
        ("2026-12-24 18:00", datetime(2026, 12, 24, 18, 0, tzinfo=UTC)),
    ],
)
def test_moments_are_instants_or_lengths(text: str, at: datetime) -> None:
    assert moment(text, "--until", now=NOW) == at


def test_a_moment_is_to_come_not_now() -> None:
    with pytest.raises(InvalidRequestError, match="is past"):
        moment(NOW.isoformat(), "--until", now=NOW)
    assert moment((NOW + timedelta(microseconds=1)).isoformat(), "--until", now=NOW) > NOW


def test_another_persons_lock_is_not_replaced_and_not_taken_off_without_a_reason(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    interlock("lock", "staging", "--reason", "audit", "--actor", "ada")
    assert interlock("lock", "staging", "--reason", "mine", "--actor", "bob") == 1
    assert interlock("unlock", "staging", "--actor", "bob") == 5
    assert "locked by ada" in capsys.readouterr().err
    assert current(registry) is not None
    assert interlock("unlock", "staging", "--actor", "bob", "--reason", "ada is on holiday") == 0
    assert "ada is on holiday" in registry.locks.events("staging")[0].details


def test_promise_8_unlocking_what_is_not_locked_is_no_error(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("unlock", "staging") == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert registry.locks.events("staging") == []


@pytest.mark.parametrize("command", ["lock", "unlock", "locks", "release"])
def test_an_unknown_environment_is_told_with_the_known_ones(
    interlock: Interlock, registry: Registry, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert registry
    options = {"lock": ["--reason", "r"], "release": ["--force", "--reason", "r"]}.get(command, [])
    assert interlock(command, "stagin", *options) == 5
    assert "known: staging" in capsys.readouterr().err


def test_locks_lists_lock_windows_and_audit(
    interlock: Interlock, home: Callable[[str], Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    home(FROZEN)
    interlock("lock", "staging", "--reason", "audit", "--actor", "ada")
    capsys.readouterr()
    assert interlock("locks", "staging") == 0
    told = capsys.readouterr().out
    for words in ("staging: locked by ada", "* * * * * (Europe/Berlin) for 2 h, next ", "ENVIRONMENT_LOCKED by ada"):
        assert words in told
    assert interlock("locks", "staging", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["lock"]["by"], found["freeze"][0]["reason"]) == ("ada", "always")
    assert [event["event"] for event in found["events"]] == ["ENVIRONMENT_LOCKED"]


def test_unlocking_in_an_open_window_says_that_it_is_still_locked(
    interlock: Interlock, home: Callable[[str], Registry], capsys: pytest.CaptureFixture[str]
) -> None:
    home(FROZEN)
    assert interlock("unlock", "staging") == 0
    assert "staging is still locked by the freeze window" in capsys.readouterr().out


def test_status_of_a_locked_environment_says_by_whom_and_why(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    registry.locks.lock("staging", by="ada", reason="audit")
    seen.stack("UPDATE_COMPLETE")
    assert interlock("status", "staging", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["reason"], report["can_deploy"], report["lock"]["reason"]) == ("ENVIRONMENT_LOCKED", False, "audit")
    assert interlock("status", "staging") == 1
    told = capsys.readouterr().out
    assert "staging: locked" in told
    assert "ada since" in told
    assert "audit" in told


def test_status_knows_an_open_window_without_the_registry(
    interlock: Interlock,
    home: Callable[[str], Registry],
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unavailable(*_: object) -> None:
        raise RegistryUnavailableError("The registry does not answer.")

    monkeypatch.setattr(type(home(FROZEN).holds), "current", unavailable)
    seen.stack("UPDATE_COMPLETE")
    assert interlock("status", "staging", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["reason"], report["can_deploy"]) == ("ENVIRONMENT_LOCKED", False)


def test_release_needs_force_and_a_reason(interlock: Interlock, registry: Registry) -> None:
    ask(registry, HOLDER)
    begin(registry, HOLDER)
    assert interlock("release", "staging", "--reason", "dead") == 5
    assert interlock("release", "staging", "--force") == 5
    assert registry.holds.current("staging") is not None


def test_release_frees_the_environment_and_says_whose_it_was(
    interlock: Interlock, registry: Registry, seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(registry, HOLDER)
    begin(registry, HOLDER)
    seen.stack("UPDATE_COMPLETE")
    assert interlock("release", "staging", "--force", "--reason", "dead") == 0
    assert f"staging is free. {HOLDER} had it" in capsys.readouterr().out
    assert registry.holds.current("staging") is None
    assert registry.deployments.get(HOLDER).status is DeploymentStatus.FAILED


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", None])
def test_release_is_refused_while_an_operation_runs_or_the_stack_cannot_be_read(
    interlock: Interlock, registry: Registry, seen: Seen, status: str | None
) -> None:
    ask(registry, HOLDER)
    begin(registry, HOLDER)
    if status:
        seen.stack(status, HOLDER)
    else:
        seen.nothing()
    assert interlock("release", "staging", "--force", "--reason", "dead") == 1
    assert registry.holds.current("staging") is not None
