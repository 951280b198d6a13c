"""Instants as the stores keep them."""

from datetime import UTC, datetime


def sortable(instant: datetime) -> str:
    """UTC with microseconds, always as wide: the order of the texts is the order of the instants."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def from_epoch(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
