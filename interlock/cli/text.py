"""Text of others (log lines, error messages, outputs) made harmless for a terminal and for a CI log."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import click

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Also what reverses the order in which text is shown, and Unicode's own ends of a line."""
_WORKFLOW_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)


def safe(text: object) -> str:
    """Without terminal control sequences, and without what GitHub Actions would take as commands to itself."""
    plain = _CONTROL.sub("", str(text).replace("\r\n", "\n"))
    return _WORKFLOW_COMMAND.sub(r"\1: :", plain).replace("##[", "## [")


def one_line(text: object) -> str:
    return " ".join(safe(text).split())


def labelled(rows: Iterable[tuple[str, object]]) -> str:
    """`  Label           value` lines; those without a value are left out."""
    known = ((label, one_line(value)) for label, value in rows if value not in (None, ""))
    return "\n".join(f"  {click.style(f'{label:<16}', dim=True)}{value}" for label, value in known)


def instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
