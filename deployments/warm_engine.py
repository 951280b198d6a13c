"""Start a flow run in 0.2 s instead of 4: its engine is forked from a process that has imported everything already.

A flow run's engine is otherwise a new Python that imports Prefect, boto3 and cfn-lint first. Here `forkserver` (the
standard library's) holds one process with these modules loaded and no threads, and forks it for each run; the child
runs `prefect.engine` exactly as Prefect's own starter would. It is a process of its own: it can be killed, crash and
be cancelled like any other, and takes nobody with it.

This reaches into private places of Prefect 3.8 (the starter protocol, the poller's factory and its question). Where they
are not as expected, `WarmRunner` stays as Prefect made it: slower, never wrong. See docs/decisions/0005-warm-engines.md.
"""

import math
import multiprocessing
import os
import runpy
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from typing import Any, Self

import anyio
import anyio.abc
import httpx
from prefect.runner import Runner
from prefect.runner._process_manager import ProcessHandle
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
from setproctitle import setproctitle

from deployments.light_poll import LightPoll
from interlock.logs.subject import Subject
from interlock.plain_http import needed_certificates
from tasks.run_log import begin_log, finish_log

_SERVER_PATIENCE_SECONDS = 180
_ANSWER_SECONDS = 10
PRELOADED = ["deployments.preload"]


def forkserver() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class WarmRunner(Runner):
    """Prefect's runner, with warm engines. `on_ready` is called once it can start runs."""

    on_ready: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        warm_up()
        starter = WarmEngineStarter(self, anyio.CapacityLimiter(math.inf))
        poller = self._scheduled_run_poller
        if hasattr(poller, "_resolve_starter"):
            poller._resolve_starter = lambda _flow_run: starter  # noqa: SLF001 - see above
        if LightPoll.fits(poller):
            poller._get_scheduled_flow_runs = LightPoll(poller).scheduled  # type: ignore[method-assign]  # noqa: SLF001
        if self.on_ready:
            self.on_ready()
        return self


def warm_up() -> None:
    """Start the fork server now, so that the first deployment does not wait for its imports."""
    process = forkserver().Process(target=_nothing)
    process.start()
    process.join()


class WarmEngineStarter:
    """Prefect's `ProcessStarter` protocol: signal the handle, then block until the process has ended."""

    def __init__(self, runner: Runner, joining: anyio.CapacityLimiter) -> None:
        self._runner = runner
        # One waiting thread per engine. The loop's own 40 threads would be used up by 40 queued deployments.
        self._joining = joining

    async def start(
        self, flow_run: Any, task_status: anyio.abc.TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        process = forkserver().Process(target=run_engine, args=(str(flow_run.id), self._environment(flow_run)))
        await anyio.to_thread.run_sync(process.start)
        task_status.started(ProcessHandle(process))  # type: ignore[arg-type]  # as good as the SpawnProcess it names
        await anyio.to_thread.run_sync(process.join, limiter=self._joining)

    def _environment(self, flow_run: Any) -> dict[str, str]:
        port, token = self._runner._control_channel.register(flow_run.id)  # noqa: SLF001 - how a cancellation reaches the engine
        name = self._runner._deployment_registry.get_deployment_name(flow_run.deployment_id)  # noqa: SLF001
        return {
            "PREFECT__FLOW_RUN_ID": str(flow_run.id),
            "PREFECT__CONTROL_PORT": str(port),
            "PREFECT__CONTROL_TOKEN": token,
            "PREFECT__DEPLOYMENT_NAME": name or "",
            # The runner runs these hooks itself; an engine that did too would run them twice.
            "PREFECT__ENABLE_CANCELLATION_AND_CRASHED_HOOKS": "false",
        }


def run_engine(flow_run_id: str, environ: dict[str, str]) -> None:
    """In the forked child: be `python -m prefect.engine`, under a name that `ps` and a person can find."""
    os.environ.update(environ)
    sys.argv = ["prefect.engine"]
    sys.modules.pop("prefect.engine", None)  # preloaded; run_module wants to be the first to import it
    setproctitle(f"python -m prefect.engine {flow_run_id}")
    # Prefect's own heartbeat sleeps a second at the end of every flow and subflow; the registry's heartbeats (ticket,
    # hold) tell more, and the sweep acts on them.
    begin_log(Subject(flow_run_id=flow_run_id), stream="engine")
    try:
        _wait_for_server()
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
    finally:
        finish_log()


def _wait_for_server() -> None:
    """An engine that finds no server dies, and its request with it. A server that starts again is waited for."""
    url = PREFECT_API_URL.value() or ""
    deadline = time.monotonic() + _SERVER_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{url}/health", timeout=_ANSWER_SECONDS, verify=needed_certificates(url))
            return  # whatever it says
        time.sleep(0.5)


def _nothing() -> None:
    """The first child: its start makes the fork server import what is preloaded."""
