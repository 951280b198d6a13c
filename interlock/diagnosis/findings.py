"""Findings made safe to show: what services write is untrusted, and of any length."""

from interlock.models.finding import Finding
from interlock.notifications.escape import one_line

_LONGEST = 300
_LONGEST_LABEL = 70


def finding(text: str, url: str | None = None, label: str = "Look") -> Finding:
    """The text on one line, without control characters, cut to 300 characters."""
    line = one_line(text)
    return Finding(
        text=line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…",
        url=url,
        label=one_line(label)[:_LONGEST_LABEL],
    )
