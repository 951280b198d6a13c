"""A store in this process's memory: the stand-in for a registry that cannot be reached (see outage.py)."""

import uuid
from collections.abc import Sequence

from interlock.registry.store import Check, ConflictError, Delete, Item, Key, Put, Write, insist_on_size, version_of


class MemoryStore:
    """A `Store` in a dictionary. Not safe for threads: whoever shares it holds a lock around it."""

    def __init__(self) -> None:
        self.items: dict[Key, Item] = {}

    def prepare(self) -> None:
        """There is nothing to make."""

    def get(self, key: Key) -> Item | None:
        return self.items.get(key)

    def get_many(self, keys: Sequence[Key]) -> list[Item]:
        return [self.items[key] for key in keys if key in self.items]

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        found = [key for key in self.items if key.partition == partition and key.sort.startswith(sort_prefix)]
        return [self.items[key] for key in sorted(found, reverse=descending)[:limit]]

    def keys_in_index(self, name: str) -> list[Key]:
        entries = [(item.index.sort, key) for key, item in self.items.items() if item.index and item.index.name == name]
        return [key for _, key in sorted(entries)]

    def transact(self, writes: Sequence[Write]) -> None:
        insist_on_size(writes)
        for write in writes:
            if write.expect is not None and version_of(self.items.get(write.key)) != write.expect:
                raise ConflictError("Somebody was faster.")
        version = uuid.uuid4().hex
        for write in writes:
            self._apply(write, version)

    def _apply(self, write: Write, version: str) -> None:
        match write:
            case Put(key=key, attributes=attributes, index=index, expires_at=expires_at):
                self.items[key] = Item(
                    key=key, attributes=attributes, version=version, index=index, expires_at=expires_at
                )
            case Delete(key=key):
                self.items.pop(key, None)
            case Check():
                return
