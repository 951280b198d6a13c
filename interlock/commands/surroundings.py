"""The environment variables of a command: the worker's own, less what is Interlock's and Prefect's."""

from collections.abc import Iterator, Mapping

from interlock.models.environment import Environment

_OURS = ("INTERLOCK_", "PREFECT_")
"""Tokens, passwords, database addresses; and nothing in them that a deployment tool would need."""
_OTHER_CREDENTIALS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Some tools prefer one of these to a key: with a role of the environment's own, none may be left."""
_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_SHORTEST_KEY = 16
"""AWS's own are longer; masked, the "test" of a rehearsal would tear holes in every line."""


def surroundings(
    worker: Mapping[str, str], environment: Environment, correlation_id: str, role: Mapping[str, str] | None = None
) -> dict[str, str]:
    """`role`: the variables that hold the credentials of the environment's `role_arn`, if it has one."""
    kept = {name: value for name, value in worker.items() if not name.startswith(_OURS)}
    if role is not None:
        kept = {name: value for name, value in kept.items() if name not in _OTHER_CREDENTIALS} | dict(role)
    return kept | {
        "AWS_REGION": environment.region,
        "AWS_DEFAULT_REGION": environment.region,
        "INTERLOCK_CORRELATION_ID": correlation_id,
        "INTERLOCK_ENVIRONMENT": environment.name,
    }


def secrets_in(given: Mapping[str, str]) -> Iterator[str]:
    """What a command must not print into a log; a script with `set -x` does."""
    return (given[name] for name in _SECRET if len(given.get(name, "")) >= _SHORTEST_KEY)
