"""All of Interlock on this machine, against nothing real: a simulated AWS, a local Slack, a Prefect server, the flows.

The demo, the fire drill, the acceptance tests and the benchmarks stand on it. It leaves nothing behind.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deployments.prefect_settings import client_environment, without_prefect
from deployments.up import Up
from interlock import processes
from interlock.rehearsal.aws.process import RehearsalAws
from interlock.rehearsal.slack.process import RehearsalSlack

EnvironmentSettings = Mapping[str, str | int | float]

DEFAULT_SETTINGS: EnvironmentSettings = {"region": "us-east-1", "application_url_output": "ApplicationUrl"}
PREFIXES_OF_OTHERS = ("INTERLOCK_", "AWS_")
"""Settings of the person's own: a rehearsal must reach neither their registry nor their account."""


class RehearsalSystem:
    """A context manager: on entering everything is started and ready, on leaving everything is gone.

    `environments` gives each environment's settings over `DEFAULT_SETTINGS`; its stack is `interlock-<name>` and its
    channel `#<name>` unless they say otherwise.
    """

    def __init__(
        self,
        environments: Mapping[str, EnvironmentSettings],
        *,
        port: int = 0,
        aws_port: int = 0,
        slack_port: int = 0,
        resource_seconds: float = 0.5,
    ) -> None:
        self._environments = environments
        self._port = port or processes.free_port()
        self.aws = RehearsalAws(port=aws_port, seconds=resource_seconds)
        self.slack = RehearsalSlack(port=slack_port)
        self._resources = ExitStack()
        self._home = Path()
        self._up: Up | None = None

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def environment(self) -> dict[str, str]:
        """The environment variables for a child process: `interlock` in it talks to this system."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES_OF_OTHERS)}
        return (
            without_prefect(own)
            | self.aws.environment()
            | client_environment(self.api_url)
            | {
                "INTERLOCK_HOME": str(self._home),
                "INTERLOCK_REGISTRY": f"sqlite:///{self._home / 'registry.db'}",
                "INTERLOCK_ENVIRONMENTS": str(self._home / "environments.toml"),
                "INTERLOCK_SLACK_TOKEN": "xoxb-rehearsal",
                "INTERLOCK_SLACK_API_URL": self.slack.api_url,
            }
        )

    def __enter__(self) -> Self:
        with ExitStack() as started:
            self._home = Path(started.enter_context(tempfile.TemporaryDirectory(prefix="interlock-")))
            started.enter_context(self.aws)
            started.enter_context(self.slack)
            (self._home / "environments.toml").write_text(environments_file(self._environments), encoding="utf-8")
            environ = {name: value for name, value in self.environment().items() if name != "PREFECT_API_URL"}
            self._up = started.enter_context(Up(self._home, self._port, environ).running())
            self._resources = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._resources.close()

    @property
    def home(self) -> Path:
        """Where the registry, the logs of the processes and the environments file are."""
        return self._home

    @property
    def up(self) -> Up:
        """The Prefect server and the runner, for those who want to kill them."""
        if self._up is None:
            raise RuntimeError("The system is not running.")
        return self._up


def environments_file(environments: Mapping[str, EnvironmentSettings]) -> str:
    """The TOML of these environments."""
    tables = []
    for name, settings in environments.items():
        table = {"stack_name": f"interlock-{name}", "slack_channel": f"#{name}", **DEFAULT_SETTINGS, **settings}
        lines = [f"{key} = {_toml(value)}" for key, value in table.items()]
        tables.append("\n".join([f"[environments.{name}]", *lines]))
    return "\n\n".join(tables) + "\n"


def _toml(value: str | float) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
