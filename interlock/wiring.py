"""Settings become adapters here, and nowhere else. Tests wire their own by the environment or by `Installation`."""

from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from interlock.clock import Clock, utc_now
from interlock.environments import Environments, find_environment, load_environments
from interlock.models.environment import Environment
from interlock.secret_values.redactor import Redactor
from interlock.settings import Settings, load_settings

if TYPE_CHECKING:  # boto3 and slack_sdk are heavy: each is imported when it is first needed
    from interlock.cloudformation.gateway import CloudFormation
    from interlock.diagnosis.diagnosis import Diagnosis
    from interlock.logs.cloudwatch import CloudWatchLog
    from interlock.models.deployment import Deployment
    from interlock.notifications.audience import Audience
    from interlock.notifications.slack import Slack
    from interlock.registry import Registry
    from interlock.registry.outage import OutageStore
    from interlock.registry.store import Store
    from interlock.secret_values.reading import Reader, Secrets


@dataclass(frozen=True)
class Installation:
    """One running installation: its settings and the adapters made from them."""

    settings: Settings
    clock: Clock = utc_now
    rides_out_outages: bool = False
    redactor: Redactor = field(default_factory=Redactor)
    """The secret values that this process has learnt: `redactor.redact` is for everything that is told."""
    _cloudformations: "dict[str, CloudFormation]" = field(default_factory=dict)
    _diagnoses: "dict[str, Diagnosis]" = field(default_factory=dict)

    @cached_property
    def environments(self) -> Environments:
        return load_environments(self.settings.environments)

    @cached_property
    def registry(self) -> "Registry":
        from interlock.registry import Registry  # noqa: PLC0415 - see above

        return Registry(self.outage or self._store, clock=self.clock, redactor=self.redactor)

    @cached_property
    def outage(self) -> "OutageStore | None":
        """What a deployment rides out an outage of the registry with; None where an outage is an error like any other."""
        if not self.rides_out_outages:
            return None
        from interlock.registry.outage import OutageStore  # noqa: PLC0415 - see above

        return OutageStore(self._store)

    @property
    def is_degraded(self) -> bool:
        """The registry does not answer: slot and stack status alone."""
        return self.outage is not None and self.outage.is_out

    @property
    def spool(self) -> Path:
        """Where a process that ended in an outage leaves what the registry missed."""
        return self.settings.home / "spool"

    def write_spooled(self) -> list[str]:
        """Write what is in the spool; the names of the files that are done."""
        from interlock.registry.outage import write_spooled  # noqa: PLC0415 - see above

        return list(write_spooled(self._store, self.spool))

    @cached_property
    def _store(self) -> "Store":
        from interlock.registry.opening import open_store  # noqa: PLC0415 - see above

        return open_store(self.settings.registry_url, clock=self.clock)

    @cached_property
    def slack(self) -> "Slack | None":
        """None without a token: notices are then kept, and shown by `interlock show`."""
        if self.settings.slack_token is None:
            return None
        from interlock.notifications.slack import Slack  # noqa: PLC0415 - see above

        return Slack(token=self.settings.slack_token, base_url=self.settings.slack_api_url)

    def cloudwatch_log(self) -> "CloudWatchLog | None":
        """A new handler that sends the log there; None without a log group."""
        if self.settings.log_group is None:
            return None
        from interlock.logs.cloudwatch import CloudWatchLog  # noqa: PLC0415 - see above

        return CloudWatchLog(self.settings.log_group)

    @property
    def polls_cheaply(self) -> bool:
        """The registry is a file here: looking at it four times a second costs nothing."""
        return self.settings.registry_url.startswith("sqlite:")

    def environment(self, name: str) -> Environment:
        return find_environment(self.environments, name)

    def environment_of(self, deployment: "Deployment") -> Environment:
        """Its environment, as it is for the stack that the deployment is at."""
        return self.environment(deployment.environment).of(deployment)

    def audience(self, environment: str) -> "Audience | None":
        """Who is told of its deployments; None where nobody is."""
        from interlock.notifications.audience import Audience  # noqa: PLC0415 - see above

        found = self.environments.get(environment)
        return Audience(found.slack_channel, found.mention_on_failure) if found and found.slack_channel else None

    def cloudformation(self, environment: Environment) -> "CloudFormation":
        """The environment's CloudFormation, made once: a client takes a while to make, and threads may share it."""
        from interlock.cloudformation.clients import cloudformation  # noqa: PLC0415 - see above

        if environment.name not in self._cloudformations:
            self._cloudformations[environment.name] = cloudformation(environment, self.redactor.redact)
        return self._cloudformations[environment.name]

    def diagnosis(self, environment: Environment) -> "Diagnosis":
        """Of the environment's resources; made once, for it remembers what it found of failures."""
        from interlock.cloudformation.clients import clients_for_a_look  # noqa: PLC0415 - see above
        from interlock.diagnosis.diagnosis import Diagnosis  # noqa: PLC0415 - see above

        if environment.name not in self._diagnoses:
            self._diagnoses[environment.name] = Diagnosis(clients_for_a_look(environment))
        return self._diagnoses[environment.name]

    def replace_cloudformation(self, environment: Environment, gateway: "CloudFormation") -> None:
        """From now on this process sees the environment's stack through this one."""
        self._cloudformations[environment.name] = gateway

    def secrets(self, environment: Environment, *, prefect_blocks: "Reader") -> "Secrets":
        """Where `secret:` references are read. Prefect's blocks are read by the caller: this room imports no Prefect."""
        from interlock.cloudformation.clients import reading_client  # noqa: PLC0415 - see above
        from interlock.secret_values.aws import aws_readers  # noqa: PLC0415 - see above
        from interlock.secret_values.reading import Secrets  # noqa: PLC0415 - see above
        from interlock.secret_values.references import Source  # noqa: PLC0415 - see above

        client_of = cache(partial(reading_client, environment))
        readers = {**aws_readers(environment, client_of), Source.PREFECT: prefect_blocks}
        return Secrets(environment, readers, self.redactor)


_current: list[Installation] = []


def installation() -> Installation:
    """This process's installation, made from its environment variables at the first call."""
    if not _current:
        _current.append(Installation(load_settings()))
    return _current[0]


def installation_of_a_deployment() -> Installation:
    """The same, for the process of one deployment: from now on, it goes on when the registry does not answer."""
    if not installation().rides_out_outages:
        _current[:] = [replace(installation(), rides_out_outages=True)]
    return _current[0]
