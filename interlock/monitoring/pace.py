"""Pace: when to read a stack's events next. Few reads, and the end noticed soon.

An end that is seen at the next look is seen half a delay late, whatever the delay: nothing can be gained on both at once
but by looking away while the end cannot come, and by looking when it is foretold. Hence three cases:

- several resources are unfinished: the end is not next. The longer it has taken so far, the longer one may look away;
- the operation has shown how long its (alike) resources take: the next look is at the end foretold from that;
- otherwise the end may come at any moment: looks are close, and thin out with the silence.

`make evaluate` measures this on recorded operations, and shows what a denser or a sparser pace would cost.
"""

from datetime import datetime

from interlock.monitoring.estimate import is_well_known, work_left_seconds
from interlock.monitoring.progress import Progress, Stage

FIRST_DELAY_SECONDS = 1.0
"""From the call that starts an operation to the first look."""

_SHORTEST_SECONDS = 0.5
_LONGEST_SECONDS = 15.0
"""People look at the progress: no silence of ours is longer, however little is to be expected."""
_LONGEST_AFTER_ERRORS_SECONDS = 60.0

_ANY_MOMENT_SECONDS = 1.8
_SHARE_OF_A_SHORT_OPERATION = 0.25
"""With one resource left, an operation that has only just begun may be a short one: looks are closer at first."""
_SHARE_OF_SILENCE = 0.02
_ANY_MOMENT_AT_MOST_SECONDS = 5.0
_NOTHING_LEFT_SECONDS = 0.7
_NOTHING_LEFT_FOR_SECONDS = 6.0
"""With its last resource done, a stack writes its own last line within this: 0.1 to 2 s were recorded."""

_SHARE_WHILE_DEPLOYING = 0.5
_SHARE_WHILE_TAKING_BACK = 0.06
"""Of the time so far. What is taken back, or cleaned up, may all be done at once: nothing waits for it."""

_WITHIN_REACH_SECONDS = 6.5
_SHARE_OF_FORETOLD = 0.6
"""An end that is further away than that is approached: it is foretold better from nearer by."""
_AFTER_THE_FORETOLD_SECONDS = 0.25


def next_delay_seconds(progress: Progress, *, now: datetime, failed_reads: int = 0) -> float:
    """Seconds to wait before the next read. `failed_reads`: how many have failed (throttled, unreachable) in a row."""
    if failed_reads:
        return min(2.0**failed_reads, _LONGEST_AFTER_ERRORS_SECONDS)
    if progress.started_at is None or progress.last_event_at is None:
        return FIRST_DELAY_SECONDS
    elapsed = _seconds(progress.started_at, now)
    delay = _foretold(progress, now) or max(_any_moment(progress, now), _share_of(progress) * elapsed)
    return min(max(delay, _SHORTEST_SECONDS), _LONGEST_SECONDS)


def _foretold(progress: Progress, now: datetime) -> float | None:
    if progress.stage is not Stage.DEPLOYING or progress.failed or not is_well_known(progress):
        return None
    left = work_left_seconds(progress, now)
    if left is None or left <= 0:
        return None
    return left + _AFTER_THE_FORETOLD_SECONDS if left <= _WITHIN_REACH_SECONDS else _SHARE_OF_FORETOLD * left


def _any_moment(progress: Progress, now: datetime) -> float:
    silence = _seconds(progress.last_event_at or now, now)
    if not progress.unfinished and not progress.failed and silence < _NOTHING_LEFT_FOR_SECONDS:
        return _NOTHING_LEFT_SECONDS
    early = _SHARE_OF_A_SHORT_OPERATION * _seconds(progress.started_at or now, now)
    closest = _ANY_MOMENT_SECONDS if progress.unfinished > 1 else min(_ANY_MOMENT_SECONDS, early)
    return min(max(closest, _SHARE_OF_SILENCE * silence), _ANY_MOMENT_AT_MOST_SECONDS)


def _share_of(progress: Progress) -> float:
    """How long one may look away, as a share of the time so far."""
    if progress.stage is Stage.DEPLOYING and (progress.unfinished > 1 or progress.failed):
        return _SHARE_WHILE_DEPLOYING  # after a failure, the whole rollback is still to come
    return _SHARE_WHILE_TAKING_BACK if progress.unfinished > 1 else 0.0


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
