"""Chapter: no false alarm on operations that went on, and every one reported that stands still."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from interlock.models.stack import StackEvent
from interlock.monitoring.progress import ResourceState, Stage
from interlock.monitoring.stall import Stall, StallLevel, stall_of
from tests.evaluation.operations import changes_of, operation_of, progress_at, seconds_of
from tests.evaluation.recordings import Recording

STALL_AFTER_MINUTES = 10.0
_POLL_SECONDS = 5.0
_MOST_POLLS = 1000
_MOST_CUTS = 12
_LONGEST_SECONDS = 24 * 3600
_WATCHED = (Stage.DEPLOYING, Stage.ROLLING_BACK)


@dataclass(frozen=True)
class Cut:
    """One operation that stands still after some of its events: seconds from the last of them to each level."""

    warning_seconds: int | None
    critical_seconds: int | None


def report(recordings: Sequence[Recording]) -> str:
    operations = [events for each in recordings if (events := operation_of(each))]
    polls = [_alarms(events) for events in operations]
    alarmed = [each.name for each, (_, alarms) in zip(recordings, polls, strict=False) if alarms]
    cuts = [cut for events in operations for cut in _cuts(events)]
    found, asked = sum(alarms for _, alarms in polls), sum(count for count, _ in polls)
    return f"""\
STALLS: after {STALL_AFTER_MINUTES:.0f} minutes by the simple rule; the resources' own limits from the table, without history.
As they were: {found} false alarms in {asked} polls of {len(operations)} operations. {", ".join(alarmed)}
Cut off where a resource is in progress, and time goes on (at most {_MOST_CUTS} cuts each, spread over the log; not in the
cleanup, whose outcome is certain):
{_line("warning", [cut.warning_seconds for cut in cuts])}
{_line("critical", [cut.critical_seconds for cut in cuts])}"""


def _line(level: str, seconds: Sequence[int | None]) -> str:
    told = [each for each in seconds if each is not None]
    times = f", median {median(told):.0f} s, at most {max(told)} s after the last event" if told else ""
    return f"  {level:9} {len(told)} of {len(seconds)} reported{times}"


def _alarms(events: Sequence[StackEvent]) -> tuple[int, int]:
    """How many polls, and how many of them found a stall."""
    step = max(_POLL_SECONDS, seconds_of(events) / _MOST_POLLS)
    moments = [step * number for number in range(math.ceil(seconds_of(events) / step) + 1)]
    return len(moments), sum(_stall(events, seconds) is not None for seconds in moments)


def _cuts(events: Sequence[StackEvent]) -> Iterator[Cut]:
    places = [events[: end + 1] for end in range(len(events)) if _is_under_way(events[: end + 1])]
    step = max(1, math.ceil(len(places) / _MOST_CUTS))
    for cut in places[::step]:
        yield Cut(_first(cut, StallLevel.WARNING), _first(cut, StallLevel.CRITICAL))


def _is_under_way(events: Sequence[StackEvent]) -> bool:
    progress = progress_at(events, (), seconds_of(events))
    return progress.stage in _WATCHED and bool(progress.in_state(ResourceState.RUNNING))


def _first(events: Sequence[StackEvent], level: StallLevel) -> int | None:
    """Once reported it stays so while nothing happens: so the first moment can be searched for by halves."""
    wanted = (StallLevel.CRITICAL,) if level is StallLevel.CRITICAL else tuple(StallLevel)
    start = seconds_of(events)

    def is_told(seconds: float) -> bool:
        stall = _stall(events, start + seconds)
        return stall is not None and stall.level in wanted

    found = bisect_left(range(_LONGEST_SECONDS), 1, key=is_told)
    return found if found < _LONGEST_SECONDS else None


def _stall(events: Sequence[StackEvent], seconds: float) -> Stall | None:
    progress = progress_at(events, changes_of(events), seconds)
    now = events[0].timestamp + timedelta(seconds=seconds)
    return stall_of(progress, now=now, stall_after_minutes=STALL_AFTER_MINUTES)
