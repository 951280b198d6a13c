"""Settings become adapters here, and nowhere else. Tests wire their own by the environment or by `Installation`."""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from interlock.clock import Clock, utc_now
from interlock.environments import Environments, find_environment, load_environments
from interlock.models.environment import Environment
from interlock.settings import Settings, load_settings

if TYPE_CHECKING:  # boto3 and slack_sdk are heavy: each is imported when it is first needed
    from interlock.cloudformation.gateway import CloudFormation
    from interlock.notifications.slack import Slack
    from interlock.registry import Registry


@dataclass(frozen=True)
class Installation:
    """One running installation: its settings and the adapters made from them."""

    settings: Settings
    clock: Clock = utc_now
    _cloudformations: "dict[str, CloudFormation]" = field(default_factory=dict)

    @cached_property
    def environments(self) -> Environments:
        return load_environments(self.settings.environments)

    @cached_property
    def registry(self) -> "Registry":
        from interlock.registry import open_registry  # noqa: PLC0415 - see above

        return open_registry(self.settings.registry_url, clock=self.clock)

    @cached_property
    def slack(self) -> "Slack | None":
        """None without a token: notices are then kept, and shown by `interlock show`."""
        if self.settings.slack_token is None:
            return None
        from interlock.notifications.slack import Slack  # noqa: PLC0415 - see above

        return Slack(token=self.settings.slack_token, base_url=self.settings.slack_api_url)

    @property
    def polls_cheaply(self) -> bool:
        """The registry is a file here: looking at it four times a second costs nothing."""
        return self.settings.registry_url.startswith("sqlite:")

    def environment(self, name: str) -> Environment:
        return find_environment(self.environments, name)

    def slack_channel(self, environment: str) -> str | None:
        found = self.environments.get(environment)
        return found.slack_channel if found else None

    def cloudformation(self, environment: Environment) -> "CloudFormation":
        """The environment's CloudFormation, made once: a client takes a while to make, and threads may share it."""
        from interlock.cloudformation.clients import cloudformation  # noqa: PLC0415 - see above

        if environment.name not in self._cloudformations:
            self._cloudformations[environment.name] = cloudformation(environment)
        return self._cloudformations[environment.name]


@lru_cache(maxsize=1)
def installation() -> Installation:
    """This process's installation, made from its environment variables at the first call."""
    return Installation(load_settings())
