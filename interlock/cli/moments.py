"""Moments as people type them: an instant, or how long from now."""

import re
from datetime import UTC, datetime, timedelta

from interlock.errors import InvalidRequestError

_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?", re.IGNORECASE)


def moment(text: str, what: str, *, now: datetime) -> datetime:
    """`2026-12-24T18:00+01:00` (without an offset: UTC), `2h`, `1d12h`, `90m`.

    Raises:
        InvalidRequestError: it is neither, or not to come.
    """
    try:
        at = _from_now(text, now) or _instant(text)
    except (ValueError, OverflowError) as error:
        raise InvalidRequestError(
            [
                f"{what}: {text!r} is neither a time (2026-12-24T18:00+01:00; UTC without offset) nor a length (2h, 1d12h)"
            ]
        ) from error
    if at <= now:
        raise InvalidRequestError([f"{what}: {at:%Y-%m-%d %H:%M:%S} UTC is past"])
    return at


def _from_now(text: str, now: datetime) -> datetime | None:
    found = _LENGTH.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes = (int(number or 0) for number in found.groups())
    return now + timedelta(days=days, hours=hours, minutes=minutes)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text.strip())
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
