"""Interlock on one machine: a Prefect server with safe settings, the flows served, a registry in a file.

`interlock up [--host 127.0.0.1] [--port 4200] [--home DIR]`. Prints `ready: <api url>` when a deployment may be asked for. With
PREFECT_API_URL set, that server is used and none is started. Leaves nothing behind on SIGINT or SIGTERM.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from deployments import ROOT
from deployments.access import auth_of, is_loopback, url_host
from deployments.command import Parser, command, port
from deployments.prefect_settings import (
    answers,
    client_environment,
    server_environment,
    spare_certificates,
    without_prefect,
)
from deployments.serve_settings import READY_FILE, SERVER_PATIENCE
from deployments.signals import end_on_sigterm, undisturbed
from interlock import processes
from interlock.errors import SettingsError
from interlock.registry import open_registry
from interlock.wiring import Installation, installation

SERVER_START_SECONDS = 120
"""A fresh database takes 15 to 20 s, and more on a busy machine."""
FLOWS_START_SECONDS = 90
RESTART_PAUSE_SECONDS = 2
LOOPBACK = "127.0.0.1"
UI_API_URL = "PREFECT_UI_API_URL"


class Up:
    """The two processes of an installation: a server (unless there is one already) and a runner; restarted if they die.

    Raises:
        SettingsError: others could reach the server, and its auth string is missing or too weak.
    """

    def __init__(self, home: Path, port: int, environ: Mapping[str, str], *, host: str = LOOPBACK) -> None:
        self._home = home
        self._host = host
        self._port = port
        self._given_url = environ.get("PREFECT_API_URL")
        self._auth = None if self._given_url else auth_of(environ, host)
        self.api_url = self._given_url or f"http://{url_host(host)}:{port}/api"
        self._environ = dict(environ)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._groups: list[int] = []
        """Every process group ever started: engines outlive a runner that was killed, and go on with their deployments."""

    @contextmanager
    def running(self, meanwhile: Callable[[], Mapping[str, str]] = dict) -> Iterator["Up"]:
        """Start both, and end both on leaving, in whatever way it is left.

        `meanwhile` is called while the server is starting; what it returns is added to the flows' environment.
        """
        with ExitStack() as started:
            # Prefect's runner leaves its storage in the temporary directory: it gets one that goes with it.
            self._environ["TMPDIR"] = started.enter_context(_scratch())
            started.callback(self._stop_all)
            if not self._given_url:
                self._launch_server()
            self._environ |= meanwhile()
            self._launch_flows()  # beside the server: both import for seconds
            if not self._given_url:
                self._await_server()
            self._await_flows()
            yield self

    def supervise(self, until: threading.Event | None = None) -> None:
        """Start again whatever has ended, until the event is set or a signal ends it."""
        until = until or threading.Event()
        while not until.wait(0.5):
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    print(
                        f"{name} ended (exit code {process.returncode}): starting it again", file=sys.stderr, flush=True
                    )
                    time.sleep(RESTART_PAUSE_SECONDS)
                    self._restart(name)

    def _restart(self, name: str) -> None:
        if name == "server":
            self._launch_server()
            self._await_server()
        else:
            self._launch_flows()
            self._await_flows()

    def _launch_server(self) -> None:
        processes.require_free_port(self._port, what="The Prefect server", host=self._host)
        listen = ["--host", self._host, "--port", str(self._port)]
        argv = [sys.executable, "-m", "deployments.prefect_server", "start", *listen]
        environ = without_prefect(self._environ) | server_environment(self._home, self.api_url, self._auth)
        if not is_loopback(self._host):
            environ[UI_API_URL] = self._environ.get(UI_API_URL, "/api")  # asked by browsers elsewhere
        self._launch("server", argv, environ)

    def _launch_flows(self) -> None:
        environ = self._environ | client_environment(self.api_url)
        if not self._given_url:
            environ = without_prefect(environ) | client_environment(self.api_url, self._auth)
            environ["PREFECT_HOME"] = str(self._home / "prefect")
            environ |= spare_certificates(self._home, self.api_url)
            environ[SERVER_PATIENCE] = str(SERVER_START_SECONDS)
        self._ready_file.unlink(missing_ok=True)
        environ[READY_FILE] = str(self._ready_file)
        self._launch("flows", [sys.executable, "-m", "deployments.serve"], environ)

    def _await_server(self) -> None:
        self._await("server", partial(answers, self.api_url), SERVER_START_SECONDS)

    def _await_flows(self) -> None:
        self._await("flows", self._ready_file.exists, FLOWS_START_SECONDS)

    @property
    def _ready_file(self) -> Path:
        return self._home / "flows.ready"

    def _launch(self, name: str, argv: list[str], environ: dict[str, str]) -> None:
        self._running[name] = processes.start(argv, environ=environ, log=self._log_of(name), cwd=ROOT)
        self._groups.append(self._running[name].pid)

    def _await(self, name: str, is_ready: Callable[[], bool], timeout_seconds: float) -> None:
        log = self._log_of(name)
        processes.wait_until(
            is_ready, self._running[name], what=f"The {name}", timeout_seconds=timeout_seconds, log=log
        )

    def _log_of(self, name: str) -> Path:
        return self._home / f"{name}.log"

    def _stop_all(self) -> None:
        with undisturbed():
            for name in ("flows", "server"):  # the runner first: it still has to report
                if process := self._running.get(name):
                    processes.stop(process)
            for group in self._groups:
                processes.kill_group(group)


def _scratch() -> "tempfile.TemporaryDirectory[str]":
    # A short name: the fork server's socket is below it, and a socket's path has room for 108 bytes at most.
    return tempfile.TemporaryDirectory(prefix="il-", ignore_cleanup_errors=True)


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


def _insist_on_a_server_of_our_own(host: str) -> None:
    if host != LOOPBACK and os.environ.get("PREFECT_API_URL"):
        raise SettingsError(
            f"--host {host} has nothing to say: PREFECT_API_URL is set, so that server is used and none is started.",
            next_step="Unset PREFECT_API_URL, or leave --host out.",
        )


@command
def main() -> None:
    parser = Parser("interlock up", __doc__)
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        help="where the Prefect server listens (default: 127.0.0.1); anything that others can reach needs"
        " PREFECT_SERVER_API_AUTH_STRING",
    )
    parser.add_argument("--port", type=port, default=4200, help="its port (default: 4200)")
    parser.add_argument(
        "--home", type=Path, default=None, help="where data is kept (default: INTERLOCK_HOME or ~/.interlock)"
    )
    arguments = parser.parse_args()
    here = installation()
    _ = here.environments  # a wrong file is reported before anything starts
    home = prepare_home(arguments.home or here.settings.home)
    _insist_on_a_server_of_our_own(arguments.host)
    environ = environment_of(here, home)
    up = Up(home, arguments.port, environ, host=arguments.host)
    open_registry(environ["INTERLOCK_REGISTRY"])  # as with the environments; a file is made now
    end_on_sigterm()
    try:
        with up.running():
            print(f"ready: {up.api_url}", flush=True)
            up.supervise()
    except KeyboardInterrupt:
        print("stopped", flush=True)


if __name__ == "__main__":
    main()
