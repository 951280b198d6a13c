"""boto3 clients for an environment. boto3 is imported with the first one: commands that need none start fast."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from interlock.cloudformation.aws_errors import translated
from interlock.cloudformation.gateway import CloudFormation, Redact
from interlock.cloudformation.read_budget import budget_of
from interlock.models.environment import Environment

if TYPE_CHECKING:
    import boto3
    import botocore.session
    from botocore.config import Config

_READ_ATTEMPTS = 4
_CONNECT_TIMEOUT_SECONDS = 5
_READ_TIMEOUT_SECONDS = 20
_SHORT_TIMEOUT_SECONDS = 2


def cloudformation(environment: Environment, redact: Redact = str) -> CloudFormation:
    """The environment's CloudFormation, called with `role_arn` when it has one.

    Raises:
        AwsCredentialsError: there are no credentials (an assumed role's are only asked for with the first call).
    """
    with translated(environment.name):
        own = session(environment)
        reading = own.client("cloudformation", config=_config(_READ_ATTEMPTS))
        # One attempt: the gateway repeats a change itself, and asks its guard before each attempt. botocore would
        # repeat it up to 20 seconds later, when our fence may have been overtaken.
        changing = own.client("cloudformation", config=_config(1))
    budget = budget_of(environment.region, environment.role_arn)
    return CloudFormation(reading, changing_client=changing, environment=environment.name, budget=budget, redact=redact)


def reading_client(environment: Environment, service: str) -> Any:
    """A client of another service, called with the same rights.

    Raises:
        AwsCredentialsError: there are no credentials.
    """
    with translated(environment.name):
        own: Any = session(environment)
        return own.client(service, config=_config(_READ_ATTEMPTS))


def clients_for_a_look(environment: Environment) -> Callable[[str], Any]:
    """Makes clients of any service, with the same rights, for a look that is not worth waiting for: one attempt, 2 s."""

    @cache
    def own() -> Any:
        return session(environment)

    @cache
    def client_of(service: str) -> Any:
        return own().client(service, config=_config(1, timeout_seconds=_SHORT_TIMEOUT_SECONDS))

    return client_of


def own_client(service: str) -> Any:
    """A client with this process's own rights and region, for a brief look."""
    import boto3  # noqa: PLC0415 (heavy, see above)

    own: Any = boto3.Session()
    return own.client(service, config=brief_config())


def brief_config() -> "Config":
    """For a look that somebody waits for: two attempts of a few seconds."""
    from botocore.config import Config  # noqa: PLC0415 (heavy, see above)

    retries: Any = {"mode": "standard", "total_max_attempts": 2}
    return Config(retries=retries, connect_timeout=3, read_timeout=5, user_agent_extra="interlock-doctor")


def _config(attempts: int, *, timeout_seconds: float | None = None) -> "Config":
    """Retries in "standard" mode. The "adaptive" one sleeps inside a call to keep a rate of its own: between our guard
    and the request, and longer than a look at the stack is worth. The pace of the looks is ours to slow down.
    """
    from botocore.config import Config  # noqa: PLC0415 (heavy, see above)

    return Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=timeout_seconds or _CONNECT_TIMEOUT_SECONDS,
        read_timeout=timeout_seconds or _READ_TIMEOUT_SECONDS,
        user_agent_extra="interlock",
    )


def session(environment: Environment) -> "boto3.Session":
    """The session that the environment's AWS is called with: its region, and its `role_arn` when it has one."""
    import boto3  # noqa: PLC0415 (heavy, see above)
    import botocore.session  # noqa: PLC0415 (as above)

    own = botocore.session.get_session()
    own.set_config_variable("region", environment.region)
    if environment.role_arn is None:
        return boto3.Session(botocore_session=own)
    assumed = botocore.session.get_session()
    assumed.set_config_variable("region", environment.region)
    # botocore has no public way to give a session credentials that renew themselves; an assumed role's end after 1 h.
    assumed._credentials = _renewed_credentials(own, environment.role_arn, environment)  # type: ignore[attr-defined]  # noqa: SLF001 (see above)
    return boto3.Session(botocore_session=assumed)


def role_variables(environment: Environment) -> dict[str, str] | None:
    """The environment variables that give another program the environment's `role_arn`, for the hour that AWS grants.

    Raises:
        AwsCredentialsError, CloudFormationRefusedError: it cannot be assumed.
    """
    if environment.role_arn is None:
        return None
    with translated(environment.name):
        own: Any = session(environment)
        given = own.get_credentials().get_frozen_credentials()
    return {
        "AWS_ACCESS_KEY_ID": given.access_key,
        "AWS_SECRET_ACCESS_KEY": given.secret_key,
        "AWS_SESSION_TOKEN": given.token,
    }


def _renewed_credentials(own: "botocore.session.Session", role_arn: str, environment: Environment) -> Any:
    from botocore.credentials import (  # noqa: PLC0415 (heavy, see above)
        AssumeRoleCredentialFetcher,
        DeferredRefreshableCredentials,
    )

    fetcher = AssumeRoleCredentialFetcher(
        client_creator=partial(own.create_client, region_name=environment.region),
        source_credentials=own.get_credentials(),
        role_arn=role_arn,
        extra_args={"RoleSessionName": f"interlock-{environment.name}"[:64]},
    )
    return DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)
