"""The kill bed: one rehearsal system in which many deployments are struck at once, each in an environment of its own."""

import json
import os
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from deployments.prefect_settings import answers
from deployments.rehearsal_system import RehearsalSystem
from interlock.plain_http import NO_CERTIFICATES
from interlock.timing import HOLD_LIFETIME_SECONDS
from tests.acceptance.asking import Asked, chain
from tests.chaos.witness import Witness

INJECTION = Path(__file__).parent / "injection"
PLANNING_SECONDS = 2
"""A victim starts so long after it is asked for: by then its plan lies ready."""
REACH_SECONDS = 90
"""By then a victim has come to its point, or never will."""
RECOVERY_SECONDS = 120
"""From the sweep to the last trace gone: the promise."""
STOPPED_SECONDS = HOLD_LIFETIME_SECONDS + 20


class Kill(StrEnum):
    """What is struck at the point."""

    ENGINE = "engine"
    ENGINE_AND_RUNNER = "engine+runner"
    SERVER = "server"
    STOP = "stop"
    """The engine is stopped for longer than its hold lives, and then continued."""


@dataclass
class Strike:
    """One deployment struck at one point, and what came of it."""

    point: str
    kill: Kill
    witness: Witness
    directory: Path
    seconds: float | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def was_reached(self) -> bool:
        return self._done.exists()

    @property
    def pid(self) -> int:
        return int(json.loads(self._done.read_text())["pid"])

    def plan(self) -> None:
        action = {Kill.ENGINE: "kill", Kill.STOP: "stop"}.get(self.kill, "wait")
        file = self._done.with_suffix(".plan")
        file.write_text(json.dumps({"point": self.point, "action": action}))

    def go_on(self) -> None:
        self._done.with_suffix(".go").touch()

    @property
    def _done(self) -> Path:
        return self.directory / f"{self.witness.victim.flow_run_id}.done"


class Bed:
    """`with Bed(12) as bed: bed.strike(points, Kill.ENGINE)`; each point uses up one of the environments."""

    def __init__(self, environments: int, home: Path | None = None) -> None:
        self._home = home
        self._free = [f"chaos-{number:02}" for number in range(environments)]
        self._left = ExitStack()
        self._passed = Path()

    def __enter__(self) -> Self:
        with ExitStack() as left:
            self._passed = Path(left.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
            left.enter_context(_Environment(PYTHONPATH=_python_path(), CHAOS_DIR=str(self._passed)))
            self.system = left.enter_context(RehearsalSystem({name: {} for name in self._free}, home=self._home))
            stop = threading.Event()
            watching = threading.Thread(target=self.system.up.supervise, args=[stop])
            watching.start()
            left.callback(watching.join)
            left.callback(stop.set)
            self._left = left.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._left.close()

    def recorded(self) -> list[str]:
        """The points that a normal deployment passes, in its order."""
        asked = self._ask(self._free.pop(), chain(1, 1))
        asked.wait()
        return (self._passed / f"{asked.flow_run_id}.passed").read_text().split()

    def strike(self, points: Sequence[str], kill: Kill) -> list[Strike]:
        """All at once. The deployments come to their points, are struck, and have until RECOVERY_SECONDS after a sweep."""
        strikes = [self._planned(point, kill) for point in points]
        time.sleep(PLANNING_SECONDS)  # one asked for while the victim is still "for later" might rightly go first
        for strike in strikes:
            self._queue_behind(strike)
        _wait(lambda: all(strike.was_reached for strike in strikes), REACH_SECONDS)
        reached = [strike for strike in strikes if strike.was_reached]
        for strike in strikes:
            if strike not in reached:
                strike.problems.append("the point was never reached")
        self._kill(reached, kill)
        self._sweep()
        self._await_recovery(reached)
        return strikes

    def _planned(self, point: str, kill: Kill) -> Strike:
        environment = self._free.pop()
        victim = self._ask(environment, chain(1, 1), in_seconds=PLANNING_SECONDS)
        strike = Strike(point, kill, Witness(self.system, environment, victim, victim), self._passed)
        strike.plan()
        return strike

    def _queue_behind(self, strike: Strike) -> None:
        second = self._ask(strike.witness.environment, chain(0.3, 0.3, delay=1))
        strike.witness = replace(strike.witness, second=second)

    def _kill(self, strikes: list[Strike], kill: Kill) -> None:
        """The engines are dead already (Kill.ENGINE), are stopped (Kill.STOP), or wait at their points."""
        pids = [strike.pid for strike in strikes]
        match kill:
            case Kill.ENGINE_AND_RUNNER:
                os.kill(self.system.up._running["flows"].pid, signal.SIGKILL)
                _send(pids, signal.SIGKILL)
                time.sleep(1)
                _wait((self.system.home / "flows.ready").exists, 60)
            case Kill.SERVER:
                os.killpg(self.system.up._running["server"].pid, signal.SIGKILL)
                for strike in strikes:
                    strike.go_on()
                time.sleep(1)
                _wait(self._server_answers, 90)
            case Kill.STOP:
                time.sleep(STOPPED_SECONDS)
                _send(pids, signal.SIGCONT)
            case Kill.ENGINE:
                time.sleep(1)

    def _await_recovery(self, strikes: list[Strike]) -> None:
        began = time.monotonic()
        waiting = list(strikes)
        while waiting and time.monotonic() < began + RECOVERY_SECONDS:
            for strike in waiting[:]:
                if not strike.witness.unsettled():
                    strike.seconds = time.monotonic() - began
                    waiting.remove(strike)
            time.sleep(1)
        for strike in waiting:
            strike.problems += strike.witness.unsettled()
        for strike in strikes:
            strike.problems += strike.witness.broken()

    def _sweep(self) -> None:
        """As the schedule would; from here the seconds count."""
        self._create_run("stall-sweep/scheduled", {})

    def _ask(self, environment: str, template: str, *, in_seconds: float = 0) -> Asked:
        """A moment from now, so that its plan is there before it is."""
        return self._create_run(
            f"deploy/{environment}", {"environment": environment, "template": template}, in_seconds=in_seconds
        )

    def _create_run(self, name: str, parameters: dict[str, Any], *, in_seconds: float = 0) -> Asked:
        deployment = self._request("GET", f"/deployments/name/{name}")
        at = datetime.now(UTC) + timedelta(seconds=in_seconds)
        body = {
            "parameters": parameters,
            "idempotency_key": uuid.uuid4().hex,
            "state": {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}},
        }
        run = self._request("POST", f"/deployments/{deployment['id']}/create_flow_run", body)
        return Asked(self.system.api_url, run["id"])

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        for _ in range(50):
            with suppress(httpx.TransportError):
                answer = httpx.request(
                    method, f"{self.system.api_url}{path}", json=body, timeout=30, verify=NO_CERTIFICATES
                )
                if not answer.is_server_error:
                    found: dict[str, Any] = answer.raise_for_status().json()
                    return found
            time.sleep(0.3)
        raise TimeoutError(f"{method} {path} is not answered.")

    def _server_answers(self) -> bool:
        return answers(self.system.api_url)


def _python_path() -> str:
    return os.pathsep.join([str(INJECTION), *filter(None, [os.environ.get("PYTHONPATH")])])


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait(is_so: Any, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.2)


class _Environment:
    def __init__(self, **values: str) -> None:
        self._values = values

    def __enter__(self) -> None:
        self._before = {name: os.environ.get(name) for name in self._values}
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
