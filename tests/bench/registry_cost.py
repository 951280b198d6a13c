"""What a registry full of history costs: `python -m tests.bench.registry_cost`. The cost of `active()` must not grow."""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.registry import Registry, open_registry
from interlock.registry.record import Step, first_writes
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import MOST_WRITES, Write

_SIZES = (1_000, 100_000)
_ENVIRONMENTS = tuple(f"environment-{number}" for number in range(10))
_REPEATS = 15
_START = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    table = Table("finished deployments", "file MB", "active() ms", "sweep's reads ms", "history() ms", "register ms")
    for size in _SIZES:
        with tempfile.TemporaryDirectory() as home:
            table.add_row(f"{size:,}", *_figures(Path(home) / "registry.db", size))
    Console().print(table)


def _figures(path: Path, size: int) -> Iterator[str]:
    registry = open_registry(f"sqlite:///{path}")
    _fill(SqliteStore(path), size)
    for environment in _ENVIRONMENTS:
        registry.deployments.register(_deployment(size, environment))
    new = iter(range(size + 1, size + 1 + _REPEATS))
    yield f"{path.stat().st_size / 1e6:.0f}"
    yield _milliseconds(registry.deployments.active)
    yield _milliseconds(lambda: _read_as_the_sweep_does(registry))
    yield _milliseconds(lambda: registry.deployments.history(_ENVIRONMENTS[0]))
    yield _milliseconds(lambda: registry.deployments.register(_deployment(next(new), _ENVIRONMENTS[0])))


def _fill(store: SqliteStore, size: int) -> None:
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
