"""The process settings, from environment variables `INTERLOCK_*`. AWS and Prefect have their own.

Read once, where a process begins; everything below gets the value passed in.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError

from interlock.errors import SettingsError
from interlock.models.base import Value

_PREFIX = "INTERLOCK_"


def _named(name: str) -> AliasChoices:
    return AliasChoices(_PREFIX + name, name.lower())


class Settings(Value):
    """Every setting with its meaning; each is the environment variable of its upper-case name."""

    home: Path = Field(
        default_factory=lambda: Path.home() / ".interlock",
        validation_alias=_named("HOME"),
        description="where `interlock up` keeps the registry and Prefect's database",
    )
    registry: str | None = Field(
        default=None,
        validation_alias=_named("REGISTRY"),
        description="`sqlite:///path.db` or `dynamodb://table?region=r`; by default registry.db in the home",
    )
    environments: Path = Field(
        default=Path("deployments/environments.toml"),
        validation_alias=_named("ENVIRONMENTS"),
        description="the environments file",
    )
    slack_token: SecretStr | None = Field(
        default=None,
        validation_alias=_named("SLACK_TOKEN"),
        description="a bot token with chat:write; without it messages are kept and shown by `interlock show`",
    )
    slack_api_url: str | None = Field(
        default=None, validation_alias=_named("SLACK_API_URL"), description="another Slack API (tests, rehearsals)"
    )
    log_group: str | None = Field(
        default=None,
        validation_alias=_named("LOG_GROUP"),
        description="the CloudWatch Logs group that the log also goes to; made if it is not there",
    )
    log_format: Literal["json", "text"] | None = Field(
        default=None,
        validation_alias=_named("LOG_FORMAT"),
        description="how the processes write their log; by default json with a log group and no terminal, else text",
    )
    templates: Path | None = Field(
        default=None,
        validation_alias=_named("TEMPLATES"),
        description="the only directory that a request may name template paths in",
    )
    template_bucket: str | None = Field(
        default=None,
        validation_alias=_named("TEMPLATE_BUCKET"),
        description="`bucket` or `bucket/prefix`: where templates too long for a call to CloudFormation are uploaded",
    )
    template_hosts: str = Field(
        default="",
        validation_alias=_named("TEMPLATE_HOSTS"),
        description="comma-separated hosts that a request may name https:// templates on",
    )

    @property
    def registry_url(self) -> str:
        return self.registry or f"sqlite:///{self.home / 'registry.db'}"

    def logs_json(self, *, on_terminal: bool) -> bool:
        """A log group is what tells a production installation; a person at a terminal reads text, even there."""
        return self.log_format == "json" or (self.log_format is None and self.log_group is not None and not on_terminal)

    @property
    def allowed_template_hosts(self) -> frozenset[str]:
        return frozenset(host.strip().lower() for host in self.template_hosts.split(",") if host.strip())


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a value cannot be read; all such values at once.
    """
    source = os.environ if environ is None else environ
    known = {
        str(field.validation_alias.choices[0])
        for field in Settings.model_fields.values()
        if isinstance(field.validation_alias, AliasChoices)
    }
    try:
        return Settings.model_validate({name: value for name, value in source.items() if name in known and value != ""})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(f"Wrong settings: {problems}.", next_step="Correct these environment variables.") from error
