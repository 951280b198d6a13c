"""From the setting `INTERLOCK_REGISTRY` to a registry."""

import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, urlsplit

from interlock.clock import Clock, utc_now
from interlock.errors import SettingsError
from interlock.registry.registry import Registry
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import Store

_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")  # AWS's rule


def open_registry(url: str, *, clock: Clock = utc_now) -> Registry:
    """`sqlite:///path.db` (`sqlite:////absolute/path.db`) or `dynamodb://table?region=r`.

    A SQLite registry is prepared by this; a DynamoDB table only by `Registry.prepare()`, which needs other rights.

    Raises:
        SettingsError: the URL has no such form, or the file is something else.
        StartupError: the file cannot be made.
    """
    return Registry(open_store(url, clock=clock), clock=clock)


def open_store(url: str, *, clock: Clock = utc_now) -> Store:
    """The store alone, as `open_registry`."""
    parts = _split(url)
    if parts.scheme == "sqlite":
        store = SqliteStore(_path(url, parts), clock=clock)
        store.prepare()
        return store
    if parts.scheme == "dynamodb":
        return _dynamodb(url, parts)
    raise _wrong(url)


def file_of(url: str) -> Path | None:
    """The file of a SQLite registry; None for any other."""
    parts = _split(url)
    return Path(_path(url, parts)) if parts.scheme == "sqlite" else None


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise _wrong(url) from error


def _path(url: str, parts: SplitResult) -> str:
    path = parts.path.removeprefix("/")
    if not path or path.endswith("/") or path == ":memory:" or parts.netloc or parts.query or parts.fragment:
        raise _wrong(url)
    return path


def _dynamodb(url: str, parts: SplitResult) -> Store:
    options = parse_qs(parts.query)
    if not _TABLE_NAME.fullmatch(parts.netloc) or parts.path.strip("/") or options.keys() != {"region"}:
        raise _wrong(url)
    from interlock.registry.dynamodb import DynamoDbStore  # noqa: PLC0415  boto3 is slow: only those who use it pay

    return DynamoDbStore(parts.netloc, options["region"][0])


def _wrong(url: str) -> SettingsError:
    return SettingsError(
        f"{url!r} is not the address of a registry.",
        next_step=(
            "INTERLOCK_REGISTRY is sqlite:///path.db, sqlite:////absolute/path.db or dynamodb://TABLE?region=REGION."
        ),
    )
