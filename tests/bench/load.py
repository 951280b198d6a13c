"""Many environments, each with a queue: 40 x 5 real runs on this machine. `python -m tests.bench load`

Smaller with LOAD_ENVIRONMENTS and LOAD_QUEUED.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from typing import Any

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import Asked, ask, chain

ENVIRONMENTS = int(os.environ.get("LOAD_ENVIRONMENTS", "40"))
QUEUED = int(os.environ.get("LOAD_QUEUED", "5"))
PATIENCE_SECONDS = 1800


def main() -> None:
    names = [f"load-{number:02}" for number in range(ENVIRONMENTS)]
    with RehearsalSystem({name: {"max_wait_minutes": 60} for name in names}) as system, _memory(system) as memory:
        began = time.monotonic()
        asked: dict[str, list[Asked]] = {name: [] for name in names}
        for number in range(QUEUED):
            for name in names:
                asked[name].append(ask(system.api_url, name, chain(0.3, 0.3, delay=number)))
        ended = [each.wait(timeout_seconds=PATIENCE_SECONDS) for requests in asked.values() for each in requests]
        wall = time.monotonic() - began
        gaps = sorted(gap for name in names for gap in _checked(system, name, asked[name]))
    failed = [run["name"] for run in ended if run["state_name"] != "Succeeded"]
    cuts = quantiles(gaps, n=20) if len(gaps) > 1 else gaps * 20
    print(
        f"\nLoad: {ENVIRONMENTS} environments x {QUEUED} queued deployments, {len(failed)} of {len(ended)} not succeeded"
    )
    print(f"wall {wall:.0f} s; hand-off p50 {cuts[9]:.2f} s, p95 {cuts[18]:.2f} s, largest {gaps[-1]:.2f} s")
    print(
        ", ".join(
            f"{name}: at most {megabytes}{'' if name.endswith('once') else ' MB'}" for name, megabytes in memory.items()
        )
    )
    if failed:
        raise SystemExit(f"not succeeded: {failed}")


def _checked(system: RehearsalSystem, name: str, requests: list[Asked]) -> Iterator[float]:
    """The seconds from each operation's end to the next one's start; none out of order, no two at once."""
    stack = f"interlock-{name}"
    operations = sorted(_of(system.aws.operations(), stack), key=lambda each: each["started"])
    in_order = sorted(requests, key=lambda each: each.run()["created"])
    if [each["token"] for each in operations] != [each.correlation_id() for each in in_order]:
        raise SystemExit(f"{name}: out of order")
    if any(before["ended"] > after["started"] for before, after in pairwise(operations)):
        raise SystemExit(f"{name}: two at once")
    creations = [each["t"] for each in _of(system.aws.log(), stack) if each["action"] == "CreateChangeSet"]
    for before, _ in pairwise(operations):
        yield next(created for created in sorted(creations) if created > before["ended"]) - before["ended"]


def _of(entries: list[dict[str, Any]], stack: str) -> list[dict[str, Any]]:
    return [each for each in entries if each["stack"] == stack]


@contextmanager
def _memory(system: RehearsalSystem) -> Iterator[dict[str, int]]:
    """The most that each part used, looked at every other second; filled while the context lasts."""
    most: dict[str, int] = {}
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(2):
            for name, megabytes in _megabytes(system).items():
                most[name] = max(most.get(name, 0), megabytes)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        stop.set()
        looking.join()


def _megabytes(system: RehearsalSystem) -> dict[str, int]:
    """Engines by their own memory alone: most of theirs is shared with the process that they are forked from."""
    running = system.up._running
    found = {name: _kilobytes(running[name].pid, "Rss") // 1024 for name in ("server", "flows")}
    engines = [_kilobytes(pid, "Pss") for pid in _engines()]
    return found | {"engines (proportional)": sum(engines) // 1024, "engines at once": len(engines)}


def _engines() -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"prefect.engine" in (process / "cmdline").read_bytes():
                yield int(process.name)
        except OSError:
            continue  # it has just ended


def _kilobytes(pid: int, what: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{what}:")), 0)
