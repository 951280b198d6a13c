"""A log that grows, looked at as it was at one moment, without a copy for each look."""

from collections.abc import Sequence
from typing import overload

from interlock.models.stack import StackEvent


class EventLog(Sequence[StackEvent]):
    """The first so many of a list that is only ever appended to: as immutable as a tuple, and shared."""

    __slots__ = ("_length", "_lines")

    def __init__(self, lines: list[StackEvent] | None = None) -> None:
        self._lines = lines if lines is not None else []
        self._length = len(self._lines)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> StackEvent: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[StackEvent, ...]: ...
    def __getitem__(self, index: int | slice) -> StackEvent | tuple[StackEvent, ...]:
        if isinstance(index, slice):
            return tuple(self._lines[at] for at in range(*index.indices(self._length)))
        return self._lines[range(self._length)[index]]
