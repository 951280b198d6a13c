"""A real Prefect server, one for all tests of a session."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.prefect_settings import answers, client_environment, server_environment, without_prefect
from interlock import processes

_START_SECONDS = 120.0
"""A fresh database takes 6 to 19 s; a busy machine several times that."""


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API's URL of a server with a home of its own."""
    home, port = tmp_path_factory.mktemp("prefect"), processes.free_port()
    url = f"http://127.0.0.1:{port}/api"
    environ = {**without_prefect(os.environ), **server_environment(home, url), "PREFECT_LOGGING_TO_API_ENABLED": "true"}
    argv = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    log = home / "server.log"
    server = processes.start(argv, environ=environ, log=log, cwd=home)
    try:
        processes.wait_until(
            lambda: answers(url), server, what="The Prefect server", timeout_seconds=_START_SECONDS, log=log
        )
        yield url
    finally:
        processes.stop(server)


@pytest.fixture
def prefect_client_environ(prefect_server: str, tmp_path: Path) -> dict[str, str]:
    """The environment for a process that is a client of `prefect_server`."""
    home = {"PREFECT_HOME": str(tmp_path / "prefect-client")}
    return {**without_prefect(os.environ), **client_environment(prefect_server), **home}
