"""How soon the end of an operation is seen, and with how many reads: the watcher's pace against fixed polling."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from statistics import mean, quantiles

from interlock.models.stack import StackEvent
from interlock.monitoring.pace import next_delay_seconds
from interlock.monitoring.progress import Progress
from interlock.monitoring.watcher import Pace, StackWatcher
from tests.evaluation.recordings import TOKEN, Recording
from tests.unit.monitoring.replay import START, Clock, Replay, changes_of

FIXED_SECONDS = (2, 4, 5, 10, 30)
SCALES = (0.2, 1, 5, 20)
"""How much longer the operations are made: a pace fitted to a few short logs would show here."""
_PHASES = 6
"""Each operation is followed so often, beginning a little earlier or later: luck is averaged out."""
_LONGEST_PHASE_SECONDS = 1.0
_STRETCHES = (0.5, 2, 4)
"""The same rule, denser and sparser: the curve of what lateness costs in reads."""
_FEWEST = 2
_WHY_NOT_ALL = """\
Why not every fixed pace at once. Polling every T s is T/2 late with D/T reads: lateness times reads is D/2, whatever T.
To beat 2 s and 30 s with ONE setting, the end would have to be seen within 1 s with a read every 30 s: fifteen times
better than fixed polling at everything. The events do not say that much: long stretches in which one resource runs, or
a rollback takes things back in silence, can end at any moment. What they do say (several unfinished resources: not yet)
saves reads in proportion to how long the operations are. The stretched rows show what another balance would cost.

"Beats" is on the averages: the latest single detection is later than with a fixed 2 s. The constants of the pace were
chosen on the recordings in shared/data/events, at these scales: on those, the figures flatter. Other logs are the test."""


@dataclass(frozen=True)
class Look:
    """One operation followed once: seconds from its terminal event to the read that saw it, and all reads."""

    late_seconds: float
    reads: int


@dataclass(frozen=True)
class Score:
    """One strategy over all operations."""

    name: str
    looks: tuple[Look, ...]

    @property
    def mean_late(self) -> float:
        return mean(each.late_seconds for each in self.looks)

    @property
    def p90_late(self) -> float:
        return quantiles([each.late_seconds for each in self.looks], n=10, method="inclusive")[8]

    @property
    def max_late(self) -> float:
        return max(each.late_seconds for each in self.looks)

    @property
    def mean_reads(self) -> float:
        return mean(each.reads for each in self.looks)

    def better_at(self, other: "Score") -> str:
        """Where this one beats the other on the average: both, one or nothing."""
        better = {"lateness": self.mean_late < other.mean_late, "reads": self.mean_reads < other.mean_reads}
        return (
            "both" if all(better.values()) else next((f"{each} alone" for each, is_so in better.items() if is_so), "-")
        )


def report(recordings: Sequence[Recording]) -> str:
    """The chapter: one table a scale, and what to make of them."""
    operations = [events for each in recordings if each.is_complete and (events := operation_of(each))]
    if len(operations) < _FEWEST:
        return "PACE: fewer than two operations are complete from their first line to their last: nothing to compare."
    title = (
        f"PACE: from the terminal event to its detection ({len(operations)} operations, each followed {_PHASES} times)"
    )
    return "\n\n".join([title, *(_table(operations, scale) for scale in SCALES), _WHY_NOT_ALL])


def operation_of(recording: Recording) -> list[StackEvent]:
    """The stack's own lines from the first that begins an operation to its end, moved to the invented clock's start."""
    own = list(recording.own_events)
    begin = next((at for at, each in enumerate(own) if each.is_of_the_stack and each.state.begins_operation), len(own))
    end = next((at for at in range(begin, len(own)) if own[at].is_of_the_stack and own[at].state.is_terminal), -1)
    return [_moved(each, own[begin], 1) for each in own[begin : end + 1]]


def scores_of(operations: Sequence[Sequence[StackEvent]], scale: float) -> list[Score]:
    """Ours first, then ours stretched (the curve), then fixed polling."""
    scaled = [[_moved(each, events[0], scale) for each in events] for events in operations]
    ours = Score("ours", tuple(look for events in scaled for look in _followed(events, next_delay_seconds)))
    curve = (
        Score(f"ours x {factor}", tuple(look for events in scaled for look in _followed(events, _stretched(factor))))
        for factor in _STRETCHES
    )
    return [ours, *curve, *(_fixed(scaled, seconds) for seconds in FIXED_SECONDS)]


def _table(operations: Sequence[Sequence[StackEvent]], scale: float) -> str:
    ours, *others = scores_of(operations, scale)
    lines = [
        f"Operations {_as_long(scale)}",
        f"{'strategy':<12} {'late, mean':>10} {'p90':>7} {'max':>7} {'reads, mean':>12} {'total':>7}  ours beats it on",
        *(_line(each, "" if each.name.startswith("ours") else ours.better_at(each)) for each in (ours, *others)),
    ]
    return "\n".join(lines)


def _as_long(scale: float) -> str:
    return "as recorded" if scale == 1 else f"made {scale:g} times as long"


def _line(score: Score, verdict: str) -> str:
    total = sum(each.reads for each in score.looks) / _PHASES
    return (
        f"{score.name:<12} {score.mean_late:>9.2f}s {score.p90_late:>6.2f}s {score.max_late:>6.2f}s "
        f"{score.mean_reads:>12.1f} {total:>7.0f}  {verdict}"
    ).rstrip()


def _stretched(factor: float) -> Pace:
    """The rule with all delays longer or shorter; but no setting looks away for more than half the time so far."""

    def pace(progress: Progress, *, now: datetime, failed_reads: int = 0) -> float:
        delay = next_delay_seconds(progress, now=now, failed_reads=failed_reads)
        elapsed = (now - progress.started_at).total_seconds() if progress.started_at else 0.0
        return min(factor * delay, max(delay, elapsed / 2))

    return pace


def _moved(event: StackEvent, first: StackEvent, scale: float) -> StackEvent:
    return event.model_copy(update={"timestamp": START + scale * (event.timestamp - first.timestamp), "token": TOKEN})


def _followed(events: Sequence[StackEvent], pace: Pace) -> Iterator[Look]:
    changes, end = changes_of(events), events[-1].timestamp
    for phase in range(_PHASES):
        clock = Clock()
        clock.sleep(-_LONGEST_PHASE_SECONDS * phase / _PHASES)
        replay = Replay(events, clock)
        watcher = StackWatcher(
            replay,
            stack_id=events[0].stack_id,
            token=TOKEN,
            started_after=clock.now,
            changes=changes,
            pace=pace,
            clock=clock,
        )
        for _ in watcher.follow(clock.sleep):
            pass
        yield Look((clock.now - end).total_seconds(), replay.reads)


def _fixed(operations: Iterable[Sequence[StackEvent]], seconds: int) -> Score:
    looks = []
    for events in operations:
        duration = (events[-1].timestamp - START) / timedelta(seconds=1)
        for phase in range(1, _PHASES + 1):
            first = seconds * phase / _PHASES
            later = max(0, ceil((duration - first) / seconds))
            looks.append(Look(first + later * seconds - duration, 1 + later))
    return Score(f"every {seconds} s", tuple(looks))
