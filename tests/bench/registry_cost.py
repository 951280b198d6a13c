"""What a registry full of history costs: `python -m tests.bench registry`. The sweep's reads must not grow with it.

SQLite is timed. DynamoDB's cost is what it charges for and what takes time over a network, so it is counted: requests and
items read. (Its milliseconds are the simulated AWS's, which looks through a whole table for what DynamoDB finds by key.)
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.registry import Registry, open_registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.registry.record import Step, first_writes
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import MOST_WRITES, Store, Write
from interlock.rehearsal.aws.process import RehearsalAws

_SIZES = (1_000, 100_000)
_ENVIRONMENTS = tuple(f"environment-{number}" for number in range(10))
_REPEATS = 15
_START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    Console().print(_sqlite_table(), _dynamodb_table())


def _sqlite_table() -> Table:
    table = Table("finished deployments", "file MB", "active() ms", "sweep's reads ms", "history() ms", "register ms")
    table.title = "SQLite, 10 active deployments"
    for size in _SIZES:
        with tempfile.TemporaryDirectory() as home:
            table.add_row(f"{size:,}", *_sqlite_figures(Path(home) / "registry.db", size))
    return table


def _dynamodb_table() -> Table:
    table = Table("finished deployments", "sweep's reads: requests", "items read", "ms", title="DynamoDB (simulated)")
    for size in _SIZES:
        with RehearsalAws() as aws, _environ(aws.environment()):
            table.add_row(f"{size:,}", *_dynamodb_figures(size))
    return table


def _sqlite_figures(path: Path, size: int) -> Iterator[str]:
    registry = open_registry(f"sqlite:///{path}")
    _fill(SqliteStore(path), size)
    _register_active(registry, size)
    new = iter(range(size + 1, size + 1 + _REPEATS))
    yield f"{path.stat().st_size / 1e6:.0f}"
    yield _milliseconds(registry.deployments.active)
    yield _milliseconds(lambda: _read_as_the_sweep_does(registry))
    yield _milliseconds(lambda: registry.deployments.history(_ENVIRONMENTS[0]))
    yield _milliseconds(lambda: registry.deployments.register(_deployment(next(new), _ENVIRONMENTS[0])))


def _dynamodb_figures(size: int) -> Iterator[str]:
    store = DynamoDbStore("registry", "us-east-1")
    store.prepare()
    _fill(store, size)
    registry = Registry(store)
    _register_active(registry, size)
    counted: Counter[str] = Counter()

    def count(parsed: dict[str, Any], **_: Any) -> None:
        answers = parsed.get("Responses", {})
        counted["requests"] += 1
        counted["items"] += parsed.get("ScannedCount", 0) + ("Item" in parsed) + sum(map(len, answers.values()))

    store._client.meta.events.register("after-call.dynamodb.*", count)
    _read_as_the_sweep_does(registry)
    yield str(counted["requests"])
    yield str(counted["items"])
    yield _milliseconds(lambda: _read_as_the_sweep_does(registry))


def _register_active(registry: Registry, size: int) -> None:
    for environment in _ENVIRONMENTS:
        registry.deployments.register(_deployment(size, environment))


@contextmanager
def _environ(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _fill(store: Store, size: int) -> None:
    writes: list[Write] = []
    for number in range(size):
        environment = _ENVIRONMENTS[number % len(_ENVIRONMENTS)]
        end = {"status": DeploymentStatus.SUCCEEDED, "finished_at": _START + timedelta(minutes=number)}
        deployment = _deployment(number, environment).model_copy(update=end)
        writes += first_writes(deployment, Step(now=datetime.now(UTC), retention=timedelta(days=400)))
        if len(writes) > MOST_WRITES - 5:
            store.transact(writes)
            writes = []
    store.transact(writes)


def _deployment(number: int, environment: str) -> Deployment:
    moment = _START + timedelta(minutes=number)
    return Deployment(
        correlation_id=f"{moment:%Y%m%d-%H%M%S}-{number:04x}{_ENVIRONMENTS.index(environment):04x}",
        environment=environment,
        stack_name=f"stack-{environment}",
        region="eu-central-1",
        started_at=moment,
        updated_at=moment,
        asked_at=moment,
        flow_run_id=f"{number}-{environment}",
    )


def _read_as_the_sweep_does(registry: Registry) -> None:
    for deployment in registry.deployments.active():
        registry.holds.current(deployment.environment)
        registry.queue.waiting(deployment.environment)
    registry.outbox.undelivered()


def _milliseconds(work: Callable[[], object]) -> str:
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return f"{median(seconds) * 1000:.1f}"


if __name__ == "__main__":
    main()
