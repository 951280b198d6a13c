"""Pace: when to read a stack's events next. Few reads, and the end noticed soon.

The rule has no knobs: a read is worth its call when something is likely to have happened. Soon after the start nothing
is known, so the looks are spread in proportion to what has passed; once the operation has shown how long its resources
take, the next look waits for the foretold end; past it, looks are close together and then thin out again.
"""

from datetime import datetime

from interlock.monitoring.estimate import is_well_known, work_left_seconds
from interlock.monitoring.progress import Progress, Stage

FIRST_DELAY_SECONDS = 1.0
"""From the call that starts an operation to the first look."""

_SHORTEST_SECONDS = 0.5
_LONGEST_SECONDS = 15.0
_AFTER_THE_END_SECONDS = 0.25
"""The stack's own last line comes a moment after its last resource's."""
_SHARE_OF_ELAPSED = 0.1
_UNSURE_AT_FIRST_SECONDS = 1.5
_UNSURE_SECONDS = 2.5
_SHARE_OF_LONG_WAIT = 0.6
_LONG_WAIT_SECONDS = 5.5
_SHARE_OF_QUIET = 0.3
_LONGEST_AFTER_ERRORS_SECONDS = 60.0


def next_delay_seconds(progress: Progress, *, now: datetime, failed_reads: int = 0) -> float:
    """Seconds to wait before the next read. `failed_reads`: how many have failed (throttled, unreachable) in a row."""
    if failed_reads:
        return min(2.0**failed_reads, _LONGEST_AFTER_ERRORS_SECONDS)
    if progress.started_at is None or progress.stage_started_at is None or progress.last_event_at is None:
        return FIRST_DELAY_SECONDS
    if progress.stage is not Stage.DEPLOYING:
        return _within(_SHARE_OF_QUIET * _seconds(progress.stage_started_at, now), 5.0)
    left, quiet = work_left_seconds(progress, now), _seconds(progress.last_event_at, now)
    if left is None or progress.failed:  # only the stack's own next line is missing
        return _within(_SHARE_OF_QUIET * quiet, 5.0)
    if is_well_known(progress) and left > 0:
        share = _SHARE_OF_LONG_WAIT if left > _LONG_WAIT_SECONDS else 1.0
        return _within(left * share + _AFTER_THE_END_SECONDS, _LONGEST_SECONDS)
    return _within(left + _AFTER_THE_END_SECONDS, _longest_while_unsure(_seconds(progress.started_at, now)))


def _longest_while_unsure(elapsed: float) -> float:
    at_first = min(max(elapsed, _UNSURE_AT_FIRST_SECONDS), _UNSURE_SECONDS)
    return min(max(at_first, _SHARE_OF_ELAPSED * elapsed), _LONGEST_SECONDS)


def _within(seconds: float, longest: float) -> float:
    return min(max(seconds, _SHORTEST_SECONDS), longest)


def _seconds(since: datetime, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds())
