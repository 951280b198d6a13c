"""One call of the CloudFormation API, as its actions see it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.errors import RefusalError, invalid
from interlock.rehearsal.aws.cloudformation.state import Json, Stack

_NAME = r"[a-zA-Z][-a-zA-Z0-9]*"
_TOKEN = r"[a-zA-Z0-9][-a-zA-Z0-9]*"  # noqa: S105 - a pattern of AWS's, no password
_TOKEN_LENGTH = 128


@dataclass(frozen=True)
class Request:
    cloud: Cloud
    account: str
    region: str
    fields: Json

    def text(self, name: str) -> str | None:
        value = self.fields.get(name)
        return value if isinstance(value, str) and value else None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            where = f"Value null at '{name[0].lower()}{name[1:]}'"
            raise invalid(f"1 validation error detected: {where} failed to satisfy constraint: Member must not be null")
        return value

    def items(self, name: str) -> list[Any]:
        value = self.fields.get(name)
        return value if isinstance(value, list) else []

    def flag(self, name: str) -> bool:
        return self.text(name) == "true"

    @property
    def token(self) -> str | None:
        token = self.text("ClientRequestToken")
        if token and (not re.fullmatch(_TOKEN, token) or len(token) > _TOKEN_LENGTH):
            raise invalid(_unfit(token, "clientRequestToken", _TOKEN))
        return token

    @property
    def new_stack_name(self) -> str:
        name = self.required("StackName")
        if not re.fullmatch(_NAME, name):
            raise invalid(_unfit(name, "stackName", _NAME))
        return name

    def find_stack(self, name_or_id: str | None = None) -> Stack | None:
        return self.cloud.find(self.account, self.region, name_or_id or self.required("StackName"))

    def stack(self) -> Stack:
        """Raises:
        RefusalError: it does not exist, in the words of the reading actions.
        """
        name = self.required("StackName")
        stack = self.find_stack(name)
        if stack is None:
            raise invalid(f"Stack with id {name} does not exist")
        return stack


Action = Callable[[Request], Awaitable[Json]]


def _unfit(value: str, name: str, pattern: str) -> str:
    return (
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}"
    )


def page(items: list[Any], token: str | None, size: int, key: Callable[[Any], str]) -> tuple[list[Any], str | None]:
    """A page of the items and the token of the next. A token names the last item seen: new items do not shift pages."""
    start = 0
    if token:
        keys = [key(item) for item in items]
        if token not in keys:
            raise RefusalError("ValidationError", "NextToken is invalid")
        start = keys.index(token) + 1
    shown = items[start : start + size]
    return shown, key(shown[-1]) if start + size < len(items) else None
