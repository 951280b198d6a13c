"""Interlock on one machine: a Prefect server with safe settings, the flows served, a registry in a file.

`interlock up [--port 4200] [--home DIR]`. Prints `ready: <api url>` when a deployment may be asked for. With
PREFECT_API_URL set, that server is used and none is started. Leaves nothing behind on SIGINT or SIGTERM.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import httpx

from deployments import ROOT
from deployments.command import command
from deployments.prefect_settings import client_environment, server_environment, without_prefect
from deployments.serve_settings import READY_FILE
from interlock import processes
from interlock.errors import SettingsError
from interlock.wiring import Installation, installation

SERVER_START_SECONDS = 120
"""A fresh database takes 15 to 20 s, and more on a busy machine."""
FLOWS_START_SECONDS = 90
RESTART_PAUSE_SECONDS = 2


class Up:
    """The two processes of an installation: a server (unless there is one already) and a runner; restarted if they die."""

    def __init__(self, home: Path, port: int, environ: dict[str, str]) -> None:
        self._home = home
        self._port = port
        self._given_url = environ.get("PREFECT_API_URL")
        self.api_url = self._given_url or f"http://127.0.0.1:{port}/api"
        self._environ = environ
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    @contextmanager
    def running(self) -> Iterator["Up"]:
        """Start both, and end both on leaving, in whatever way it is left."""
        with ExitStack() as started:
            started.callback(self._stop_all)
            if not self._given_url:
                self._start_server()
            self._start_flows()
            yield self

    def supervise(self) -> None:
        """Start again whatever has ended. Returns never; a signal ends it."""
        while True:
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    print(
                        f"{name} ended (exit code {process.returncode}): starting it again", file=sys.stderr, flush=True
                    )
                    time.sleep(RESTART_PAUSE_SECONDS)
                    self._starters[name]()
            time.sleep(0.5)

    @property
    def _starters(self) -> dict[str, Callable[[], None]]:
        return {"server": self._start_server, "flows": self._start_flows}

    def _start_server(self) -> None:
        processes.require_free_port(self._port, what="The Prefect server")
        argv = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self._port)]
        environ = without_prefect(self._environ) | server_environment(self._home)
        self._start("server", argv, environ, self._server_answers, SERVER_START_SECONDS)

    def _start_flows(self) -> None:
        environ = self._environ | client_environment(self.api_url)
        if not self._given_url:
            environ = without_prefect(environ) | client_environment(self.api_url)
            environ["PREFECT_HOME"] = str(self._home / "prefect")
        ready = self._home / "flows.ready"
        ready.unlink(missing_ok=True)
        environ[READY_FILE] = str(ready)
        self._start("flows", [sys.executable, "-m", "deployments.serve"], environ, ready.exists, FLOWS_START_SECONDS)

    def _start(
        self, name: str, argv: list[str], environ: dict[str, str], is_ready: Callable[[], bool], timeout_seconds: float
    ) -> None:
        log = self._home / f"{name}.log"
        process = self._running[name] = processes.start(argv, environ=environ, log=log, cwd=ROOT)
        processes.wait_until(is_ready, process, what=f"The {name}", timeout_seconds=timeout_seconds, log=log)

    def _server_answers(self) -> bool:
        try:
            return httpx.get(f"{self.api_url}/health", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def _stop_all(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C would leave the children behind
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for name in ("flows", "server"):  # the runner first: it still has to report
            if process := self._running.get(name):
                processes.stop(process)


def environment_of(here: Installation, home: Path) -> dict[str, str]:
    """What the child processes get: ours, with every path made absolute (they run elsewhere)."""
    environ = dict(os.environ)
    environ["INTERLOCK_HOME"] = str(home)
    environ["INTERLOCK_REGISTRY"] = _absolute(here.settings.registry or f"sqlite:///{home / 'registry.db'}")
    environ["INTERLOCK_ENVIRONMENTS"] = str(here.settings.environments.resolve())
    return environ


def _absolute(registry_url: str) -> str:
    scheme, separator, path = registry_url.partition(":///")
    return f"{scheme}{separator}{Path(path).absolute()}" if scheme == "sqlite" else registry_url


def prepare_home(home: Path) -> Path:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"The home {home} cannot be used: {error.strerror}.",
            next_step="Choose another with --home or INTERLOCK_HOME.",
        ) from error
    return home.resolve()


def _end_on_sigterm(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@command
def main() -> None:
    parser = argparse.ArgumentParser(
        prog="interlock up", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--port", type=int, default=4200, help="where the Prefect server listens, on loopback (default: 4200)"
    )
    parser.add_argument(
        "--home", type=Path, default=None, help="where data is kept (default: INTERLOCK_HOME or ~/.interlock)"
    )
    arguments = parser.parse_args()
    here = installation()
    _ = here.environments  # a wrong file is reported before anything starts
    home = prepare_home(arguments.home or here.settings.home)
    signal.signal(signal.SIGTERM, _end_on_sigterm)
    try:
        with Up(home, arguments.port, environment_of(here, home)).running() as up:
            print(f"ready: {up.api_url}", flush=True)
            up.supervise()
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    main()
