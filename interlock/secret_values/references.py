"""What stands in a parameter's place of a secret: `{{resolve:...}}`, which CloudFormation reads, or `secret:...`, which we do."""

import re
from collections.abc import Mapping
from enum import StrEnum

from interlock.models.base import Value

PREFIX = "secret:"
_RESOLVED_BY_AWS = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure|ssm):[^{}]+\}\}")
_ARN_SERVICE = re.compile(r"arn:[^:]+:(secretsmanager|ssm):")


class Source(StrEnum):
    """Where a secret is kept."""

    SECRETS_MANAGER = "secretsmanager"
    SSM = "ssm"
    PREFECT = "prefect"

    @property
    def in_words(self) -> str:
        return {
            "secretsmanager": "Secrets Manager",
            "ssm": "SSM Parameter Store",
            "prefect": "Prefect's Secret blocks",
        }[self]


class SecretReference(Value):
    """`secret:[source:]name[#json-key]`. Nothing in it is secret: it may be shown, and is."""

    text: str
    sources: tuple[Source, ...]
    """Where to look, in this order; more than one when the reference names none."""
    name: str
    key: str | None = None
    """The member to take, of a secret that is a JSON object."""


def is_reference(value: str) -> bool:
    """Whether the value is a reference of either kind, and nothing else beside it: then it is no secret itself."""
    return value.startswith(PREFIX) or is_resolved_by_aws(value)


def is_resolved_by_aws(value: str) -> bool:
    return _RESOLVED_BY_AWS.fullmatch(value) is not None


def references_in(parameters: Mapping[str, str]) -> dict[str, SecretReference]:
    """The parameters whose values we read. Raises ValueError, as `parse`."""
    return {name: parse(value) for name, value in parameters.items() if value.startswith(PREFIX)}


def parse(value: str) -> SecretReference:
    """Raises ValueError: what is wrong with the reference, without quoting it (it may be a value with an unlucky start)."""
    where, _, key = value.removeprefix(PREFIX).partition("#")
    sources, name = _split(where)
    if not name.strip():
        raise ValueError("a reference must name a secret: `secret:<name>` or `secret:<source>:<name>`")
    if "#" in value and not key:
        raise ValueError("a JSON key must follow the `#` of a reference")
    return SecretReference(text=value, sources=sources, name=name, key=key or None)


def _split(where: str) -> tuple[tuple[Source, ...], str]:
    first, colon, rest = where.partition(":")
    if colon and first in set(Source):
        return (Source(first),), rest
    if found := _ARN_SERVICE.match(where):
        return (Source(found[1]),), where
    return tuple(Source), where
