"""Put on a runner's PYTHONPATH, this lets a plan end or stop an engine at a named point, without a word of it in production.

Every method below is wrapped when its module has been imported, in whatever process; it does something only within an
engine (a process of one flow run). There each call is a pair of points, `before:queue.enqueue#1` and
`after:queue.enqueue#1`, numbered within the process. `CHAOS_DIR/<flow run id>.passed` lists those that were passed,
`<flow run id>.plan` names one and what to do there, once: afterwards it is `<flow run id>.done`.
"""

import functools
import importlib.machinery
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

TARGETS: dict[str, dict[str, str]] = {
    "interlock.registry.deployments": {
        "Deployments.register": "deployments.register",
        "Deployments.record": "deployments.record",
        "Deployments.finish": "deployments.finish",
    },
    "interlock.registry.queue": {"Queue.enqueue": "queue.enqueue", "Queue.heartbeat": "queue.heartbeat"},
    "interlock.registry.holds": {
        "Holds.claim": "holds.claim",
        "Holds.renew": "holds.renew",
        "Holds.release": "holds.release",
    },
    "interlock.registry.outbox": {"Outbox.update": "outbox.update", "Outbox.save_thread": "outbox.save_thread"},
    "interlock.cloudformation.gateway": {
        "CloudFormation.stack": "aws.stack",
        "CloudFormation.validate_template": "aws.validate_template",
        "CloudFormation.create_change_set": "aws.create_change_set",
        "CloudFormation.change_set": "aws.change_set",
        "CloudFormation.execute_change_set": "aws.execute_change_set",
        # Between the guard and the wire: as late as a process can die or stop without having sent the request.
        "CloudFormation._send": "aws.send",
        "CloudFormation.events_of_operation": "aws.events_of_operation",
        "CloudFormation.events": "aws.events",
    },
    "interlock.notifications.slack": {
        "Slack.post": "slack.post",
        "Slack.reply": "slack.reply",
        "Slack.update": "slack.update",
    },
    "interlock.hold_keeper": {"HoldKeeper.guard": "hold_keeper.guard"},
    "interlock.turn": {"Turn.take": "turn.take"},
    "prefect.concurrency._sync": {
        "acquire_concurrency_slots_with_lease": "slot.enter",
        "release_concurrency_slots_with_lease": "slot.exit",
    },
    "tasks.prefect_side": {"name_the_run": "prefect.name_the_run"},
    "tasks.notify": {"notify": "notify", "notify_at_last": "notify_at_last"},
    "tasks.artifacts": {"publish_changes": "artifacts.changes", "publish_outcome": "artifacts.outcome"},
    "tasks.monitoring": {"Reporter.report": "monitor.report"},
    "tasks.endings": {"final_state": "final_state"},
}

_passed: Counter[str] = Counter()
_lock = threading.Lock()


def _reach(point: str) -> None:
    run, directory = os.environ.get("PREFECT__FLOW_RUN_ID"), os.environ.get("CHAOS_DIR")
    if run is None or directory is None:
        return  # the runner, the server: their calls are nobody's point
    with _lock:
        _passed[point] += 1
        numbered = f"{point}#{_passed[point]}"
        with (Path(directory) / f"{run}.passed").open("a") as passed:
            passed.write(f"{numbered}\n")
    _carry_out(Path(directory) / f"{run}.plan", numbered)


def _carry_out(file: Path, point: str) -> None:
    try:
        plan = json.loads(file.read_text())
    except FileNotFoundError:
        return
    if plan["point"] != point:
        return
    go = file.with_suffix(".go")
    try:
        done = file.with_suffix(".done.new")
        done.write_text(json.dumps({"pid": os.getpid()}))
        done.rename(file.with_suffix(".done"))
        file.unlink()
    finally:
        match plan["action"]:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case _:  # only this thread waits: a stopped process could keep a file's lock from everybody
                while not go.exists():
                    time.sleep(0.05)


def _wrapped(call: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(call)
    def between_points(*args: Any, **kwargs: Any) -> Any:
        _reach(f"before:{name}")
        answer = call(*args, **kwargs)
        _reach(f"after:{name}")
        return answer

    return between_points


def _wrap(module: ModuleType, targets: dict[str, str]) -> None:
    for path, name in targets.items():
        *owners, last = path.split(".")
        owner: Any = functools.reduce(getattr, owners, module)
        setattr(owner, last, _wrapped(getattr(owner, last), name))


class _Finder:
    """Python's own way to find the module, with the wrapping after its execution."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name in TARGETS else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_wrap(module: ModuleType) -> None:
            execute(module)
            _wrap(module, TARGETS[name])

        spec.loader.exec_module = execute_and_wrap  # type: ignore[method-assign]
        return spec


if "CHAOS_DIR" in os.environ:
    sys.meta_path.insert(0, _Finder)
