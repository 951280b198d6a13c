"""Freeze windows: the hours of a week in which an environment is locked, by the clock on its people's wall."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, Field

from interlock.models.base import Value
from interlock.models.lock import Lock, Reason

_HOURS_OF_A_WEEK = 7 * 24
_FIELDS = 5
_WIDEST_SHIFT = timedelta(hours=3)
"""No zone turns its clocks by more (Antarctica/Troll: two hours)."""


def _cron(text: str) -> str:
    if len(text.split()) != _FIELDS:
        raise ValueError("a cron expression has five fields: minute, hour, day of month, month, day of week")
    try:
        never = next(CronSim(text, datetime(2000, 1, 1, tzinfo=UTC)), None) is None
    except CronSimError as error:
        raise ValueError(f"not a cron expression: {str(error).lower()}") from error
    if never:
        raise ValueError("this cron expression never comes true")
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:  # a directory of the database, a path, a name that is not in it
        raise ValueError(f"{name!r} is no time zone (such as Europe/Berlin)") from error
    return name


class FreezeWindow(Value):
    """From each moment of `cron`, in `time_zone`, for `hours` on the clock there.

    On the clock: a weekend from Friday 16:00 with 64 hours ends on Monday at 8:00, also when the clocks were turned in
    between. Where the clock shows the end twice, the second counts.
    """

    cron: Annotated[str, AfterValidator(_cron)]
    hours: Annotated[float, Field(strict=True, gt=0, le=_HOURS_OF_A_WEEK)]
    reason: Reason
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"

    def lock_at(self, environment: str, now: datetime) -> Lock | None:
        """The lock that this window is, if it is open now."""
        start = next((start for start in self._backwards(now) if start <= now), None)
        if start is None or now >= self._end(start):
            return None
        by = f"the freeze window {self.cron} ({self.time_zone})"
        return Lock(
            environment=environment, by=by, reason=self.reason, since=start.astimezone(UTC), until=self._end(start)
        )

    def next_start(self, now: datetime) -> datetime | None:
        start = next(CronSim(self.cron, now.astimezone(self._zone)), None)
        return start.astimezone(UTC) if start else None

    def _backwards(self, now: datetime) -> Iterator[datetime]:
        """Its starts, the latest first, from a little later than now: where the clock is turned back, a start that it
        shows as yet to come may have been.
        """
        return CronSim(self.cron, (now + _WIDEST_SHIFT).astimezone(self._zone), reverse=True)

    def _end(self, start: datetime) -> datetime:
        end = start.astimezone(self._zone).replace(tzinfo=None) + timedelta(hours=self.hours)
        # The one of the two that is later, whether the clock shows this moment twice or skips it.
        return max(end.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1))

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)  # cached by zoneinfo
