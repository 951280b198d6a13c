"""Markdown whose values come from outside: none of them is taken for markup."""

import re
from collections.abc import Iterable, Sequence

from interlock.notifications.escape import one_line, web_address

_MARKUP = frozenset("\\`*_[]<>|#")
_BARE_ADDRESS = re.compile(r"(?i)(?<=[a-z])(:)(?=//)|(?<=www)(\.)|(@)")
_NOT_IN_A_LINK = frozenset(" |<>`()[]\\\"'")


def escaped(value: str) -> str:
    """Plain words."""
    return "".join(f"\\{character}" if character in _MARKUP else character for character in one_line(value))


def words(value: str) -> str:
    """Plain words, of which no renderer makes a link of its own accord: many do of a bare address."""
    return _BARE_ADDRESS.sub(r"\\\g<0>", escaped(value))


def link(label: str, url: str | None) -> str | None:
    """A link by a label of our own; None if the address may not be one."""
    address = web_address(url)
    return f"[{label}]({address.replace('(', '%28').replace(')', '%29')})" if address else None


def code(value: str) -> str:
    without_ticks = one_line(value).replace("`", "'")
    return f"`{without_ticks}`"


def cell(value: str) -> str:
    """One cell of a table: a link if it is a plain address, else code."""
    if value.startswith(("https://", "http://")) and not set(value) & _NOT_IN_A_LINK:
        return f"<{value}>"
    return code(value).replace("|", "\\|")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; its header is our own words, its cells are anybody's."""
    lines = [f"| {' | '.join(header)} |", f"|{' --- |' * len(header)}"]
    return lines + [f"| {' | '.join(map(cell, row))} |" for row in rows]
