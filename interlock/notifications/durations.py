"""Lengths of time and moments, for people."""

from datetime import UTC, datetime


def duration(seconds: float) -> str:
    """`18 s`, `3 min 20 s`, `1 h 05 min`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left:02d} min"
    if minutes:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    return f"{rest} s"


def in_minutes(seconds: float) -> str:
    """`3.3 minutes (3 min 20 s)`: the number for those who compare, the words for those who read."""
    return f"{minutes(round(max(0.0, seconds) / 60, 1))} ({duration(seconds)})"


def minutes(count: float) -> str:
    """`1 minute`, `3.5 minutes`, `4 minutes`."""
    return f"{count:.10g} minute{'' if count == 1 else 's'}"


def minutes_between(low: float | None, high: float | None) -> str:
    """`4 to 7 minutes`, `4 minutes`, `unknown`; whole minutes, rounded up by none: it is an estimate."""
    known = sorted(round(max(0.0, value)) for value in (low, high) if value is not None)
    if not known:
        return "unknown"
    if known[-1] == 0:
        return "less than 1 minute"
    return minutes(known[0]) if known[0] == known[-1] else f"{known[0]} to {minutes(known[-1])}"


def instant(text: str) -> str:
    """An ISO instant as people write it, in UTC; anything else as it stands."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError):
        return text
