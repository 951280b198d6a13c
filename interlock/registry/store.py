"""The storage contract: what the registry's rules need of a store, and nothing else.

Items are addressed by (partition, sort) and carry a version: the id of the transaction that wrote them. Rules read
items, decide, and write with the versions that they decided on; `optimistically` starts over when somebody was faster.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from interlock.errors import RegistryUnavailableError, TemporaryError

ABSENT: Final = ""
"""The version of an item that is not there."""

MOST_WRITES: Final = 100
"""How many writes one transaction may hold: DynamoDB's own limit, kept by every store."""

_T = TypeVar("_T")
_PATIENCE_SECONDS = 15.0
_LONGEST_PAUSE_SECONDS = 0.05


class Key(NamedTuple):
    partition: str
    sort: str


class IndexEntry(NamedTuple):
    """An item's place in a sparse index; an item that leaves the index has none."""

    name: str
    sort: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    key: Key
    attributes: dict[str, Any]
    """JSON values only."""
    version: str
    index: IndexEntry | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write an item as a whole. `expect`: the version it must have now, `ABSENT`, or None for any."""

    key: Key
    attributes: dict[str, Any]
    expect: str | None
    index: IndexEntry | None = None
    expires_at: datetime | None = None
    """From then on the store may remove the item by itself, sooner or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    """Remove an item; with `expect` None, also one that is not there."""

    key: Key
    expect: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Write nothing, but insist on the version."""

    key: Key
    expect: str


Write = Put | Delete | Check


class ConflictError(TemporaryError):
    """An expectation failed: somebody wrote in between. Internal: `optimistically` reads again and decides anew."""


class Store(Protocol):
    """What SQLite and DynamoDB both do. Every method may raise `RegistryUnavailableError`.

    Reads are strongly consistent, except `keys_in_index`. "Absent" is certain: an answer cut short looks the same, so
    the store looks again before it says so (promise 10).
    """

    def prepare(self) -> None:
        """Make the table or file, its index and its expiry, if they are not there. Safe to repeat and to race."""

    def get(self, key: Key) -> Item | None: ...

    def get_many(self, keys: Sequence[Key]) -> list[Item]:
        """Those of the items that exist, in the order of `keys`."""

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        """All items of the partition below the prefix, in the order of their sort keys."""

    def keys_in_index(self, name: str) -> list[Key]:
        """The keys in a sparse index, in their order there. May lag behind: read the items before deciding."""

    def transact(self, writes: Sequence[Write]) -> None:
        """All of the writes, or none; at most one an item and `MOST_WRITES` together.

        A retry inside the store recognises its own success ("applied, answer lost").

        Raises:
            ConflictError: an expectation failed, nothing was written.
        """


def version_of(item: Item | None) -> str:
    return item.version if item else ABSENT


def insist_on_size(writes: Sequence[Write]) -> None:
    if len(writes) > MOST_WRITES:
        raise ValueError(f"A transaction holds at most {MOST_WRITES} writes, not {len(writes)}.")


def optimistically(attempt: Callable[[], _T]) -> _T:
    """Read, decide, write: again from the reading whenever somebody else wrote in between.

    Raises:
        RegistryUnavailableError: always overtaken, which takes a very busy registry.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except ConflictError as overtaken:
            if time.monotonic() > deadline:
                raise _too_busy() from overtaken
            # By chance: with equal pauses the same two would collide again and again.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311  no secret


def _too_busy() -> RegistryUnavailableError:
    return RegistryUnavailableError(
        f"The registry is too busy: overtaken by others for {_PATIENCE_SECONDS:.0f} s.",
        next_step="Try again in a minute.",
    )
