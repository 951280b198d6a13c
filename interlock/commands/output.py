"""What a command says, line by line: made harmless for a log, bounded, and its last lines kept."""

import re
from collections import deque
from collections.abc import Callable
from typing import IO

_MOST_LINES = 10_000
_LONGEST_LINE = 2_000
_LINES_KEPT = 15
_UNSEEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Colours, cursor movements and control characters: for a terminal, and there is none."""


class Output:
    """Tells each line, at most so many; `last_lines` are kept whatever their number."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told = 0
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)

    @property
    def last_lines(self) -> tuple[str, ...]:
        return tuple(self._kept)

    def read(self, stream: IO[str]) -> None:
        """To its end. A line that is too long is told in parts, so that no reader needs room for it."""
        while line := stream.readline(_LONGEST_LINE):
            if text := _UNSEEN.sub("", line).rstrip():
                self._take(text)

    def _take(self, text: str) -> None:
        self._kept.append(text)
        self._told += 1
        if self._told <= _MOST_LINES:
            self._tell(text)
        elif self._told == _MOST_LINES + 1:
            self._tell(f"({_MOST_LINES:,} lines of the command are shown: the rest is left out)")
