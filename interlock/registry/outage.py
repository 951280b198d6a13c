"""One deployment's way through an outage of the registry: slot and stack status alone, and the record written later.

`OutageStore` stands before the real store in the process of a deployment. It keeps a copy of what this process read and
wrote. When the registry stops answering, the copy takes its place; what is written meanwhile is remembered, and written
to the registry when that answers again. The rules above never notice: they run on the copy.

What the copy cannot know is who else is there. So it forgets the others' tickets and holds, and the deployment relies on
the Prefect slot and on the stack's own status (the other two layers of promise 1). When the registry is back, our hold
is written only if nobody was granted it meanwhile; otherwise the next check of the fence says that it is lost.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from interlock.errors import RegistryUnavailableError
from interlock.registry.keys import HOLD, RECORD, TICKETS, deployment_partition
from interlock.registry.memory import MemoryStore
from interlock.registry.store import ABSENT, ConflictError, Delete, IndexEntry, Item, Key, Put, Store, Write

_T = TypeVar("_T")

PROBE_SECONDS = 5.0
"""How often the registry is asked whether it is back. An attempt may itself take seconds, so not at every call."""


class OutageStore:
    """A `Store` that goes on without the store behind it. Safe for threads."""

    def __init__(self, behind: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._behind = behind
        self._clock = clock
        self._lock = threading.RLock()
        self._copy = MemoryStore()
        self._versions: dict[Key, str] = {}
        """The versions that the registry had when it was last seen: those of the copy differ once it is written to."""
        self._unwritten: dict[Key, None] = {}
        """What was written since the outage began, in order."""
        self._own: set[str] = set()
        """The partitions of the records that this process wrote: its own deployment's."""
        self._next_probe = 0.0
        self.is_out = False

    def prepare(self) -> None:
        self._through(self._behind.prepare, lambda: None)

    def get(self, key: Key) -> Item | None:
        return self._through(lambda: self._seen_one(key, self._behind.get(key)), lambda: self._copy.get(key))

    def get_many(self, keys: Sequence[Key]) -> list[Item]:
        return self._through(lambda: self._seen(self._behind.get_many(keys)), lambda: self._copy.get_many(keys))

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        return self._through(
            lambda: self._seen(self._behind.query(partition, sort_prefix, descending=descending, limit=limit)),
            lambda: self._copy.query(partition, sort_prefix, descending=descending, limit=limit),
        )

    def keys_in_index(self, name: str) -> list[Key]:
        return self._through(lambda: self._behind.keys_in_index(name), lambda: self._copy.keys_in_index(name))

    def transact(self, writes: Sequence[Write]) -> None:
        self._through(lambda: self._write_both(writes), lambda: self._write_copy(writes))

    def catch_up(self) -> bool:
        """Write what the registry missed, if it answers now; whether nothing is left to write."""
        with self._lock:
            self._next_probe = 0.0
            return not self.is_out or self._is_back()

    def unwritten(self) -> list[dict[str, Any]]:
        """What the registry still misses, as JSON: for a spool file, when the process cannot wait any longer."""
        with self._lock:
            return [_as_json(self._copy.items[key]) for key in self._unwritten if key in self._copy.items]

    # --- the way through ---------------------------------------------------------------------------------------------

    def _through(self, behind: Callable[[], _T], copy: Callable[[], _T]) -> _T:
        with self._lock:
            if self.is_out and not self._is_back():
                return copy()
            try:
                return behind()
            except RegistryUnavailableError:
                self._begin_outage()
                return copy()

    def _begin_outage(self) -> None:
        self.is_out = True
        self._next_probe = self._clock() + PROBE_SECONDS
        for key, item in list(self._copy.items.items()):
            if key.sort.startswith(TICKETS):
                del self._copy.items[key]
            elif key.sort == HOLD and not self._is_ours(item):
                # The fence stays: a grant that we give ourselves must have a higher one.
                free = {**item.attributes, "owner": None}
                self._copy.items[key] = Item(key=key, attributes=free, version=item.version)

    def _is_ours(self, hold: Item) -> bool:
        return deployment_partition(str(hold.attributes.get("owner"))) in self._own

    def _is_back(self) -> bool:
        if self._clock() < self._next_probe:
            return False
        try:
            self._write_missed()
        except RegistryUnavailableError:
            self._next_probe = self._clock() + PROBE_SECONDS
            return False
        self.is_out = False
        return True

    def _write_missed(self) -> None:
        for key in list(self._unwritten):
            item = self._copy.items.get(key)
            if item is not None and not key.sort.startswith(TICKETS):
                self._write_late(item)
            del self._unwritten[key]

    def _write_late(self, item: Item) -> None:
        """Our own items as they are now; the hold only if it is as it was when the registry was last seen."""
        expect = self._versions.get(item.key, ABSENT) if item.key.sort == HOLD else None
        try:
            self._behind.transact([_as_put(item, expect)])
        except ConflictError:
            self._copy.items.pop(item.key)  # somebody was granted it: the next renewal finds out that ours is lost

    # --- the copy ----------------------------------------------------------------------------------------------------

    def _write_both(self, writes: Sequence[Write]) -> None:
        self._behind.transact(writes)
        self._note_own(writes)
        for write in writes:
            if isinstance(write, Put):
                # Its version is the store's own secret until it is read again; the hold's is needed, so it is.
                found = self._behind.get(write.key) if write.key.sort == HOLD else None
                self._keep(
                    found
                    or Item(
                        key=write.key,
                        attributes=write.attributes,
                        version="",
                        index=write.index,
                        expires_at=write.expires_at,
                    )
                )
            elif isinstance(write, Delete):
                self._copy.items.pop(write.key, None)

    def _write_copy(self, writes: Sequence[Write]) -> None:
        self._copy.transact(writes)
        self._note_own(writes)
        self._unwritten |= dict.fromkeys(write.key for write in writes if isinstance(write, Put))

    def _note_own(self, writes: Sequence[Write]) -> None:
        self._own |= {write.key.partition for write in writes if isinstance(write, Put) and write.key.sort == RECORD}

    def _seen_one(self, key: Key, item: Item | None) -> Item | None:
        if item is None:
            self._copy.items.pop(key, None)
        else:
            self._keep(item)
        return item

    def _seen(self, items: list[Item]) -> list[Item]:
        for item in items:
            self._keep(item)
        return items

    def _keep(self, item: Item) -> None:
        self._copy.items[item.key] = item
        self._versions[item.key] = item.version


def write_spooled(store: Store, spool: Path) -> Iterator[str]:
    """Write what processes left behind in `spool` when they ended in an outage; yields the name of each file done."""
    for file in sorted(spool.glob("*.json")):
        for item in json.loads(file.read_text(encoding="utf-8")):
            if item["key"][1] != HOLD:
                store.transact([_as_put(_from_json(item), None)])
        file.unlink()
        yield file.name


def _as_put(item: Item, expect: str | None) -> Put:
    return Put(key=item.key, attributes=item.attributes, expect=expect, index=item.index, expires_at=item.expires_at)


def _as_json(item: Item) -> dict[str, Any]:
    return {
        "key": list(item.key),
        "attributes": item.attributes,
        "index": list(item.index) if item.index else None,
        "expires_at": item.expires_at.isoformat() if item.expires_at else None,
    }


def _from_json(item: dict[str, Any]) -> Item:
    return Item(
        key=Key(*item["key"]),
        attributes=item["attributes"],
        version="",
        index=IndexEntry(*item["index"]) if item["index"] else None,
        expires_at=datetime.fromisoformat(item["expires_at"]) if item["expires_at"] else None,
    )
