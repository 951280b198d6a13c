"""The registry in one SQLite file, for one machine: any number of processes and threads, any of which may be killed.

A connection lives for one operation. That costs a fraction of a millisecond and spares everything that goes wrong with
long-lived ones: they must not cross a fork, belong to one thread, and hold locks when forgotten. A fork waits until no
thread is inside SQLite: a child would inherit the belief that it holds the locks of an operation that is not its own.
"""

import json
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from interlock.clock import Clock, utc_now
from interlock.errors import InterlockError, RegistryUnavailableError, SettingsError, StartupError
from interlock.registry.store import (
    ABSENT,
    Check,
    ConflictError,
    Delete,
    IndexEntry,
    Item,
    Key,
    Put,
    Write,
    insist_on_size,
)
from interlock.registry.timestamps import from_epoch

_BUSY_TIMEOUT_SECONDS = 15.0
_APPLICATION_ID = 0x494C434B  # "ILCK": tells our file from another program's database
_TOP = "\U0010ffff"
_COLUMNS = "partition, sort, attributes, version, index_name, index_sort, expires_at"
_SCHEMA = (
    """CREATE TABLE items (
        partition TEXT NOT NULL, sort TEXT NOT NULL, attributes TEXT NOT NULL, version TEXT NOT NULL,
        index_name TEXT, index_sort TEXT, expires_at REAL, PRIMARY KEY (partition, sort)
    ) WITHOUT ROWID""",
    "CREATE INDEX items_by_index ON items (index_name, index_sort) WHERE index_name IS NOT NULL",
    "CREATE INDEX items_by_expiry ON items (expires_at) WHERE expires_at IS NOT NULL",
    f"PRAGMA application_id = {_APPLICATION_ID}",
)
_inside = threading.Lock()
os.register_at_fork(before=_inside.acquire, after_in_parent=_inside.release, after_in_child=_inside.release)

_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NOT_OURS = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


class SqliteStore:
    """A `Store` in the file at `path`; relative paths are fixed when it is made."""

    def __init__(self, path: Path | str, *, clock: Clock = utc_now) -> None:
        self._path = Path(path).absolute()
        self._clock = clock

    def prepare(self) -> None:
        """Make the file, or check the one that is there; then remove what has expired.

        Raises:
            StartupError: the file cannot be made or written.
            SettingsError: the file is not a registry.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._connection("rwc") as connection:
                if not _is_ours(connection):
                    self._create(connection)
                self._remove_expired(connection)
        except OSError as error:
            raise self._cannot_start(error) from error
        except RegistryUnavailableError as error:
            if _code(error.__cause__) in _BUSY:
                raise
            raise self._cannot_start(error.__cause__) from error

    def get(self, key: Key) -> Item | None:
        rows = self._select("WHERE partition = ? AND sort = ?", key)
        return rows[0] if rows else None

    def get_many(self, keys: Sequence[Key]) -> list[Item]:
        with self._connection() as connection:
            connection.execute("BEGIN")  # one moment for all of them
            rows = [_row(connection, key) for key in keys]
        return [_item(row) for row in rows if row]

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        order = "DESC" if descending else "ASC"
        where = f"WHERE partition = ? AND sort >= ? AND sort < ? ORDER BY sort {order} LIMIT ?"
        return self._select(where, (partition, sort_prefix, sort_prefix + _TOP, -1 if limit is None else limit))

    def keys_in_index(self, name: str) -> list[Key]:
        with self._connection() as connection:
            wanted = "SELECT partition, sort FROM items WHERE index_name = ? ORDER BY index_sort"
            return [Key(*row) for row in connection.execute(wanted, (name,))]

    def transact(self, writes: Sequence[Write]) -> None:
        insist_on_size(writes)
        version = uuid.uuid4().hex
        # Leaving without COMMIT, by an error or by SIGKILL, undoes everything.
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for write in writes:
                _insist(connection, write)
                _apply(connection, write, version)
            connection.execute("COMMIT")

    def _select(self, where: str, parameters: Sequence[Any]) -> list[Item]:
        with self._connection() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM items {where}", parameters)  # noqa: S608  our own text
            return [_item(row) for row in rows]

    @contextmanager
    def _connection(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """Mode `rw` never makes a file: a registry that was moved away must not become an empty one."""
        address = f"{self._path.as_uri()}?mode={mode}"
        try:
            with _inside, closing(_connect(address)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _create(self, connection: sqlite3.Connection) -> None:
        if _tables(connection):
            raise self._not_a_registry("it is another program's database")
        _switch_to_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        if not _is_ours(connection):  # somebody may have been faster
            for statement in _SCHEMA:
                connection.execute(statement)
        connection.execute("COMMIT")

    def _remove_expired(self, connection: sqlite3.Connection) -> None:
        now = (self._clock().timestamp(),)
        # Look first: opening a registry must not need the write lock.
        if connection.execute("SELECT 1 FROM items WHERE expires_at <= ? LIMIT 1", now).fetchone():
            connection.execute("DELETE FROM items WHERE expires_at <= ?", now)

    def _translated(self, error: sqlite3.Error) -> InterlockError:
        if _code(error) in _NOT_OURS:
            return self._not_a_registry(str(error))
        return RegistryUnavailableError(
            f"The registry {self._path} does not answer: {error}.",
            next_step="Check that the file is there, that its disk has room, and that no program keeps it locked.",
        )

    def _not_a_registry(self, reason: str) -> SettingsError:
        return SettingsError(
            f"{self._path} is not an Interlock registry: {reason}.", next_step="Set INTERLOCK_REGISTRY to another file."
        )

    def _cannot_start(self, reason: BaseException | None) -> StartupError:
        return StartupError(
            f"The registry {self._path} cannot be opened: {reason}.",
            next_step="Make its directory writable, or set INTERLOCK_REGISTRY to a path that is.",
        )


def _connect(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte: the rest is detail


def _is_ours(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION_ID)


def _tables(connection: sqlite3.Connection) -> int:
    """How many tables a foreign file has. None: it is empty, or has just become ours."""
    connection.execute("BEGIN")
    tables = 0 if _is_ours(connection) else connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    connection.execute("COMMIT")
    return int(tables)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite does not wait for this one lock by itself, so several processes starting together would fail."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _row(connection: sqlite3.Connection, key: Key) -> tuple[Any, ...] | None:
    wanted = f"SELECT {_COLUMNS} FROM items WHERE partition = ? AND sort = ?"  # noqa: S608  our own text
    row: tuple[Any, ...] | None = connection.execute(wanted, key).fetchone()
    return row


def _item(row: tuple[Any, ...]) -> Item:
    partition, sort, attributes, version, index_name, index_sort, expires_at = row
    return Item(
        key=Key(partition, sort),
        attributes=json.loads(attributes),
        version=version,
        index=IndexEntry(index_name, index_sort) if index_name else None,
        expires_at=None if expires_at is None else from_epoch(expires_at),
    )


def _insist(connection: sqlite3.Connection, write: Write) -> None:
    if write.expect is None:
        return
    row = connection.execute("SELECT version FROM items WHERE partition = ? AND sort = ?", write.key).fetchone()
    if (row[0] if row else ABSENT) != write.expect:
        raise ConflictError(f"{write.key} was written in between.")


def _apply(connection: sqlite3.Connection, write: Write, version: str) -> None:
    match write:
        case Delete():
            connection.execute("DELETE FROM items WHERE partition = ? AND sort = ?", write.key)
        case Put():
            index = write.index or (None, None)
            expires_at = write.expires_at and write.expires_at.timestamp()
            row = (*write.key, json.dumps(write.attributes), version, *index, expires_at)
            connection.execute(f"INSERT OR REPLACE INTO items ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608  our own text
        case Check():
            pass
