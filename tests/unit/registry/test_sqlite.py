"""What only SQLite can get wrong: other programs' files, forks, threads and processes, `kill -9`."""

import multiprocessing
import signal
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from interlock.errors import (
    CorrelationIdTakenError,
    HoldLostError,
    InterlockError,
    NotYourTurnError,
    RegistryUnavailableError,
    SettingsError,
)
from interlock.registry import Registry, sqlite
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import Key, Put, Write, optimistically, version_of
from tests.unit.registry.kit import NOON, FrozenClock, cid, claim, deployment, enqueue

PROCESSES = 20
FORK = multiprocessing.get_context("fork")
COUNTER = Key("p", "counter")
OTHER = Key("p", "other")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "registry.db"
    SqliteStore(path).prepare()
    return path


def put(number: int, *, key: Key = COUNTER, expires_seconds: int | None = None) -> Put:
    expires_at = None if expires_seconds is None else NOON + timedelta(seconds=expires_seconds)
    return Put(key=key, attributes={"n": number}, expect=None, expires_at=expires_at)


def count_up(path: Path, times: int, key: Key = COUNTER) -> None:
    store = SqliteStore(path)

    def attempt() -> None:
        item = store.get(key)
        number = item.attributes["n"] + 1 if item else 1
        store.transact([Put(key=key, attributes={"n": number}, expect=version_of(item))])

    for _ in range(times):
        optimistically(attempt)


def count(path: Path) -> Any:
    item = SqliteStore(path).get(COUNTER)
    return item and item.attributes["n"]


def test_threads_lose_no_update(path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: count_up(path, 10), range(8)))
    assert count(path) == 80


def test_processes_lose_no_update(path: Path) -> None:
    with ProcessPoolExecutor(4, FORK) as pool:
        list(pool.map(count_up, [path] * 4, [15] * 4))
    assert count(path) == 60


def test_forking_in_the_middle_of_threads_at_work_harms_nobody(path: Path) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            count_up(path, 1, OTHER)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    children = [FORK.Process(target=count_up, args=(path, 5), daemon=True) for _ in range(10)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    stop.set()
    for thread in threads:
        thread.join()
    assert [child.exitcode for child in children] == [0] * 10
    assert count(path) == 50
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def prepare_at_once(path: Path, start: Event) -> None:
    start.wait()
    SqliteStore(path).prepare()


def test_many_processes_make_one_file_at_once(tmp_path: Path) -> None:
    start = FORK.Event()
    children = [
        FORK.Process(target=prepare_at_once, args=(tmp_path / "new" / "r.db", start), daemon=True)
        for _ in range(PROCESSES)
    ]
    for child in children:
        child.start()
    start.set()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * PROCESSES


class StuckHalfway(list[Write]):
    """Writes of which the last never comes."""

    def __init__(self, writes: Iterable[Write], halfway: Event) -> None:
        super().__init__(writes)
        self.halfway = halfway

    def __iter__(self) -> Iterator[Write]:
        yield from super().__iter__()
        self.halfway.set()
        signal.pause()


def write_half(path: Path, halfway: Event) -> None:
    writes = [put(1, key=Key("p", str(number))) for number in range(50)]
    SqliteStore(path).transact(StuckHalfway(writes, halfway))


def test_kill_9_in_the_middle_of_a_transaction_leaves_nothing_of_it(path: Path) -> None:
    halfway = FORK.Event()
    child = FORK.Process(target=write_half, args=(path, halfway), daemon=True)
    child.start()
    assert halfway.wait(10)
    child.kill()
    child.join(10)
    assert SqliteStore(path).query("p", "") == []
    SqliteStore(path).transact([put(1)])
    assert count(path) == 1


def write_pairs(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(1_000_000):
        store.transact([put(number, key=Key("pair", "a")), put(number, key=Key("pair", "b"))])


def test_kill_9_at_any_moment_leaves_no_half(path: Path) -> None:
    for round_number in range(8):
        child = FORK.Process(target=write_pairs, args=(path,), daemon=True)
        child.start()
        time.sleep(0.05 + 0.007 * round_number)
        child.kill()
        child.join(10)
        assert len({item.attributes["n"] for item in SqliteStore(path).query("pair", "")}) <= 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE flow_run (id TEXT)")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="another program"):
        SqliteStore(path).prepare()
    assert path.read_bytes() == before


def test_a_registry_that_stays_locked_is_unavailable_not_wrong(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_TIMEOUT_SECONDS", 0.05)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryUnavailableError, match="locked"):
        SqliteStore(path).transact([put(1)])
    assert count(path) is None
    blocker.close()


def test_a_damaged_file_is_an_error_of_ours(path: Path) -> None:
    SqliteStore(path).transact([put(number, key=Key("p", str(number))) for number in range(100)])
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40_000)
    with pytest.raises(InterlockError, match="registry"):
        SqliteStore(path).get(Key("p", "5"))


def test_what_has_expired_goes_when_the_registry_is_opened(path: Path) -> None:
    store = SqliteStore(path, clock=FrozenClock())
    store.transact([put(1, key=Key("p", f"{seconds:+}"), expires_seconds=seconds) for seconds in (-1, 0, 1)])
    store.prepare()
    assert [item.key.sort for item in store.query("p", "")] == ["+1"]


def adopt(path: Path) -> int:
    return claim(Registry(SqliteStore(path), clock=FrozenClock()), 1).fence


def test_promise_1_processes_adopting_at_once_get_fences_of_their_own_and_only_the_last_counts(path: Path) -> None:
    registry = Registry(SqliteStore(path), clock=FrozenClock())
    enqueue(registry, 1)
    with ProcessPoolExecutor(4, FORK) as pool:
        fences = list(pool.map(adopt, [path] * 12))
    assert sorted(fences) == list(range(1, 13))
    hold = registry.holds.current("staging")
    assert hold
    assert hold.fence == 12
    with pytest.raises(HoldLostError):
        registry.holds.check(hold.model_copy(update={"fence": 11}))


def deploy(path: Path, log: Path, number: int) -> None:
    """Wait, claim, note down when it begins and ends, release."""
    registry = Registry(SqliteStore(path))
    hold = None
    while hold is None:
        with suppress(NotYourTurnError):
            hold = claim(registry, number)
    for word in ("begin", "end"):
        with log.open("a") as file:
            file.write(f"{word} {number} {hold.fence}\n")
    assert registry.holds.release(hold)


def test_promise_1_processes_deploy_one_after_the_other_in_the_order_of_the_queue(path: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    registry = Registry(SqliteStore(path))
    for number in range(1, 7):
        enqueue(registry, number)
    with ProcessPoolExecutor(6, FORK) as pool:
        list(pool.map(deploy, [path] * 6, [log] * 6, range(1, 7)))
    expected = [f"{word} {number} {number}" for number in range(1, 7) for word in ("begin", "end")]
    assert log.read_text().splitlines() == expected


def test_promise_1_of_a_renewal_and_a_takeover_at_once_exactly_one_wins(path: Path) -> None:
    clock = FrozenClock()
    registry = Registry(SqliteStore(path), clock=clock)
    for number in range(2, 30, 2):
        enqueue(registry, number)
        old = claim(registry, number)
        clock.now = old.expires_at
        enqueue(registry, number + 1)
        with ThreadPoolExecutor(2) as pool:
            renewal = pool.submit(registry.holds.renew, old, lifetime_seconds=60)
            takeover = pool.submit(claim, registry, number + 1)
        outcome = (type(renewal.exception()), type(takeover.exception()))
        assert outcome in ((type(None), NotYourTurnError), (HoldLostError, type(None)))
        current = registry.holds.current("staging")
        assert current
        registry.holds.release(current)
        registry.queue.leave("staging", cid(number + 1))


def register_many(path: Path, seed: int) -> list[str]:
    """50 deployments of one second; ids from a small range, so that they do collide."""
    registry = Registry(SqliteStore(path), clock=FrozenClock())
    registered: list[str] = []
    number = seed
    while len(registered) < 50:
        number = (number * 1103515245 + 12345) % 2**31
        try:
            registered.append(registry.deployments.register(deployment(number % 2000)).correlation_id)
        except CorrelationIdTakenError:
            continue
    return registered


@pytest.mark.slow
def test_promise_2_a_thousand_ids_of_one_second_from_20_processes_are_unique(path: Path) -> None:
    with ProcessPoolExecutor(PROCESSES, FORK) as pool:
        ids = [one for ids in pool.map(register_many, [path] * PROCESSES, range(PROCESSES)) for one in ids]
    assert len(ids) == len(set(ids)) == 1000
    registry = Registry(SqliteStore(path), clock=FrozenClock())
    assert {one.correlation_id for one in registry.deployments.active()} == set(ids)
    assert {one.correlation_id for one in registry.deployments.history("staging", limit=2000)} == set(ids)
    assert cid(1) not in ids or registry.deployments.get(cid(1))
