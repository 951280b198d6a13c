"""All of Interlock on this machine, against nothing real: a simulated AWS, a local Slack, a Prefect server, the flows.

The demo, the fire drill, the acceptance tests and the benchmarks stand on it. It leaves nothing behind.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deployments.access import SERVER_AUTH
from deployments.prefect_settings import client_environment
from deployments.up import Up
from interlock import processes
from interlock.models.environment import Environment
from interlock.registry import Registry, open_registry
from interlock.rehearsal.aws.process import RehearsalAws
from interlock.rehearsal.slack.process import RehearsalSlack

EnvironmentSettings = Mapping[str, Any]
"""As in the environments file; what is left out comes from `DEFAULT_SETTINGS`."""

DEFAULT_SETTINGS: EnvironmentSettings = {"region": "us-east-1", "application_url_output": "ApplicationUrl"}
TEMPLATE_BUCKET = "interlock-templates"
"""In the simulated AWS."""
_OF_OTHERS = ("PREFECT_", "INTERLOCK_", "AWS_", "GITHUB_")
"""What a person set for their own installation, account or CI job: a rehearsal must reach none of it."""


class RehearsalSystem:
    """`with RehearsalSystem({"staging": {}}) as system: ...`: on entering everything is started and ready; however it is
    left, everything is gone.

    An environment's stack is `interlock-<name>` and its channel `#<name>` unless its settings say otherwise. `home` keeps
    the data (by default a directory that goes with the system). The ports are the Prefect server's, the simulated AWS's
    and the local Slack's; 0 takes a free one. A resource takes `resource_seconds`. `settings` are further environment
    variables of the installation. With `api_auth` (`USER:PASSWORD`) the Prefect server lets nobody in without it.

    Raises:
        StartupError: on entering, when a part could not be started.
    """

    def __init__(
        self,
        environments: Mapping[str, EnvironmentSettings],
        *,
        home: Path | None = None,
        port: int = 0,
        aws_port: int = 0,
        slack_port: int = 0,
        resource_seconds: float = 0.5,
        settings: Mapping[str, str] | None = None,
        api_auth: str | None = None,
    ) -> None:
        self.environments = {name: _environment(name, settings) for name, settings in environments.items()}
        self.aws = RehearsalAws(port=aws_port, seconds=resource_seconds)
        self.slack = RehearsalSlack(port=slack_port)
        self._given_home = home
        self._settings = dict(settings or {})
        self._home = Path()
        self._port = port or processes.free_port()
        self._api_auth = api_auth
        self._up: Up | None = None
        self._running = ExitStack()

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/api"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def home(self) -> Path:
        """Where the registry, the logs of the processes and the environments file are."""
        return self._home

    @property
    def up(self) -> Up:
        """The Prefect server and the runner, for those who want to watch over them, or to kill them."""
        if self._up is None:
            raise RuntimeError("The system is not running.")
        return self._up

    @property
    def registry(self) -> Registry:
        """Where the deployments are on record."""
        return open_registry(self._installation()["INTERLOCK_REGISTRY"])

    def environment(self) -> dict[str, str]:
        """The environment variables for a child process: `interlock` in it talks to this system, and to nothing else."""
        return self._installation() | self._services() | client_environment(self.api_url, self._api_auth)

    def __enter__(self) -> Self:
        with ExitStack() as started:
            self._home = self._given_home or Path(started.enter_context(_temporary_home()))
            (self._home / "environments.toml").write_text(_environments_file(self.environments), encoding="utf-8")
            auth = {SERVER_AUTH: self._api_auth} if self._api_auth else {}
            self._up = Up(self._home, self._port, self._installation() | auth)
            started.enter_context(self._up.running(meanwhile=lambda: self._start_services(started)))
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.close()

    def empty_account(self) -> None:
        """The simulated AWS as it was at the start: no stacks, no resources, no rules, an empty log."""
        self.aws.reset()
        self.aws.make_bucket(TEMPLATE_BUCKET)
        self.aws.clear_log()

    def _start_services(self, started: ExitStack) -> dict[str, str]:
        for service in (self.aws, self.slack):
            started.callback(service.stop)  # first: a Ctrl-C while it starts must end it too
            service.start()
        self.aws.make_bucket(TEMPLATE_BUCKET)
        return self._services()

    def _services(self) -> dict[str, str]:
        slack = {"INTERLOCK_SLACK_TOKEN": "xoxb-rehearsal", "INTERLOCK_SLACK_API_URL": self.slack.api_url}
        return self.aws.environment() | slack

    def _installation(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith(_OF_OTHERS)} | {
            "INTERLOCK_HOME": str(self._home),
            "INTERLOCK_REGISTRY": f"sqlite:///{self._home / 'registry.db'}",
            "INTERLOCK_ENVIRONMENTS": str(self._home / "environments.toml"),
            "INTERLOCK_TEMPLATE_BUCKET": TEMPLATE_BUCKET,
            # A profile of the person's could name another endpoint, or a role in a real account.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            **self._settings,
        }


def _environment(name: str, settings: EnvironmentSettings) -> Environment:
    own = {"name": name, "stack_name": f"interlock-{name}", "slack_channel": f"#{name}"}
    return Environment.model_validate({**DEFAULT_SETTINGS, **own, **settings})


def _environments_file(environments: Mapping[str, Environment]) -> str:
    """The TOML of these environments."""
    return "\n\n".join(_table(environment) for environment in environments.values()) + "\n"


def _table(environment: Environment) -> str:
    settings = environment.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
    return "\n".join([f"[environments.{environment.name}]", *(f"{key} = {_toml(settings[key])}" for key in settings)])


def _toml(value: Any) -> str:
    """JSON is TOML, but for objects."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def _temporary_home() -> "tempfile.TemporaryDirectory[str]":
    # A process that is ended by force may still be writing there.
    return tempfile.TemporaryDirectory(prefix="interlock-", ignore_cleanup_errors=True)
