"""Reading the facts of a notice. They crossed a database and perhaps a release: absent or odd ones are left out of the
message, never a reason not to send it.
"""

from collections.abc import Mapping
from typing import Self

from pydantic import JsonValue

from interlock.notifications.escape import clean, one_line

_SANE = 1e12
"""No count or number of seconds is larger: what is, is rubbish."""


class Facts:
    """The facts by name, each of the type asked for or absent."""

    def __init__(self, facts: Mapping[str, JsonValue]) -> None:
        self._facts = facts

    @classmethod
    def of(cls, value: JsonValue) -> Self:
        return cls(value if isinstance(value, dict) else {})

    def __contains__(self, name: str) -> bool:
        return self._facts.get(name) is not None

    def text(self, name: str, otherwise: str | None = None) -> str:
        """The fact on one line; `otherwise`, or nothing, if it is absent."""
        return one_line(self.lines(name)) or otherwise or ""

    def lines(self, name: str) -> str:
        """The fact with its line breaks."""
        value = self._facts.get(name)
        return clean(str(value)).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def number(self, name: str) -> float | None:
        value = self._facts.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if -_SANE < value < _SANE else None

    def count(self, name: str) -> int:
        return int(self.number(name) or 0)

    def flag(self, name: str) -> bool:
        return self._facts.get(name) is True

    def part(self, name: str) -> "Facts":
        return Facts.of(self._facts.get(name))

    def parts(self, name: str) -> "list[Facts]":
        value = self._facts.get(name)
        return [Facts.of(item) for item in value] if isinstance(value, list) else []

    def texts(self, name: str) -> list[str]:
        """Each of the fact's texts on one line, for facts that are a list of them."""
        value = self._facts.get(name)
        return [one_line(item) for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def items(self) -> list[tuple[str, str]]:
        """All facts as names and texts, for facts that are a table (counts, outputs)."""
        return [(one_line(name), self.text(name)) for name in self._facts if name in self]
