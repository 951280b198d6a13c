"""The one summary after an outage: which messages came late, which were left out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from interlock.models.notice import DeliveryState, Notice, NoticeKind, OutboxRow
from interlock.notifications.headlines import headline

_LATE_AFTER = timedelta(minutes=5)
_MOST_LISTED = 10


def is_late(row: OutboxRow, now: datetime) -> bool:
    """Sent now, the row would tell of something that is over: its reader must be told why."""
    return now - row.written_at > _LATE_AFTER


def summary(rows: Sequence[OutboxRow], last: OutboxRow, now: datetime) -> Notice | None:
    """The summary that is due once `last` is sent: when it is late, and no row after it is.

    The outage covers the late rows right before it, too: an earlier delivery may have sent a part of them.
    """
    waiting = [row for row in rows if row.state is DeliveryState.WAITING and row.sequence > last.sequence]
    if not is_late(last, now) or any(is_late(row, now) for row in waiting):
        return None
    missed = _outage(rows, last)
    late = [row for row in missed if row.state is not DeliveryState.SKIPPED]
    minutes = (now - missed[0].written_at).total_seconds() / 60
    listed: list[JsonValue] = [_told_late(row) for row in late[:_MOST_LISTED]]
    return Notice(
        kind=NoticeKind.SUMMARY,
        facts={
            "missed": len(late),
            "skipped": len(missed) - len(late),
            "outage_minutes": round(minutes, 1),
            "late": listed,
        },
    )


def _told_late(row: OutboxRow) -> JsonValue:
    """Slack shows when a message came, not when what it tells happened."""
    return {"title": headline(row.notice).detail, "at": row.written_at.isoformat()}


def _outage(rows: Sequence[OutboxRow], last: OutboxRow) -> list[OutboxRow]:
    """The unbroken run of late and skipped rows that ends with `last`, oldest first."""
    run = [last]
    for row in reversed([row for row in rows if row.sequence < last.sequence]):
        if row.state is not DeliveryState.SKIPPED and not _came_late(row):
            break
        run.append(row)
    return run[::-1]


def _came_late(row: OutboxRow) -> bool:
    """Slack's ids are instants: they say when the row was sent."""
    try:
        return row.slack_ts is not None and is_late(row, datetime.fromtimestamp(float(row.slack_ts), UTC))
    except (ValueError, OverflowError, OSError):
        return False
