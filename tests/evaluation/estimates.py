"""Chapter: how well the remaining time is foretold, against the two estimates that anybody would make."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import mean, median

from interlock.models.past_operation import PastOperation
from interlock.models.stack import StackEvent
from interlock.monitoring.estimate import Estimate, remaining
from interlock.monitoring.past import past_operation
from tests.evaluation.operations import (
    changes_of,
    is_usable,
    operation_of,
    progress_at,
    seconds_of,
)
from tests.evaluation.recordings import Recording

_CUTS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Case:
    """One operation, cut at a share of its duration; the others are the history, the same stack's its own."""

    events: Sequence[StackEvent]
    share: float
    of_stack: Sequence[PastOperation]
    others: Sequence[PastOperation]

    @property
    def succeeded(self) -> bool:
        return self.events[-1].state.is_success

    @property
    def kind(self) -> str:
        """As `CREATE, succeeded`."""
        return f"{self.events[0].state.action}, {'succeeded' if self.succeeded else 'failed'}"

    @property
    def elapsed(self) -> float:
        return self.share * seconds_of(self.events)

    @property
    def left(self) -> float:
        return seconds_of(self.events) - self.elapsed


def _ours(case: Case, history: Sequence[PastOperation]) -> Estimate | None:
    changes = changes_of(case.events)
    now = case.events[0].timestamp + timedelta(seconds=case.elapsed)
    progress = progress_at(case.events, changes, case.elapsed)
    return remaining(progress, now=now, changes=changes, history=history)


def _cold(case: Case) -> Estimate | None:
    return _ours(case, ())


def _with_history(case: Case) -> Estimate | None:
    return _ours(case, case.of_stack) if case.of_stack else None


def _done_over_total(case: Case) -> Estimate | None:
    """As much time for each resource to come as for each done so far; nothing, while none is done."""
    progress = progress_at(case.events, changes_of(case.events), case.elapsed)
    if not progress.done:
        return None
    return _point(case.elapsed * (len(progress.resources) - progress.done) / progress.done)


def _cold_where_that_speaks(case: Case) -> Estimate | None:
    """On the same cases as the baseline, which says nothing at the beginning."""
    return _cold(case) if _done_over_total(case) else None


def _mean_of_history(case: Case) -> Estimate | None:
    return _point(mean(past.seconds for past in case.others) - case.elapsed) if case.others else None


def _mean_of_stack(case: Case) -> Estimate | None:
    return _point(mean(past.seconds for past in case.of_stack) - case.elapsed) if case.of_stack else None


def _point(seconds: float) -> Estimate:
    return Estimate(p50_seconds=max(0.0, seconds), p90_seconds=max(0.0, seconds))


_ESTIMATORS: dict[str, Callable[[Case], Estimate | None]] = {
    "ours, cold": _cold,
    "ours, same stack's history": _with_history,
    "done over total": _done_over_total,
    "ours, cold, on the same": _cold_where_that_speaks,
    "mean of all others": _mean_of_history,
    "mean of the same stack": _mean_of_stack,
}


def report(recordings: Sequence[Recording]) -> str:
    complete = [each for each in recordings if each.is_complete]
    cases = list(_cases([(each.stack_name, operation_of(each)) for each in complete]))
    cuts = ", ".join(f"{share:.0%}" for share in _CUTS)
    head = f"""\
ESTIMATES: {len(cases) // len(_CUTS)} complete operations, each left out of its own history, cut at {cuts} of its duration.
Error: |p50 - remaining| / remaining, the median of the cases; remaining runs to the stack's last line.
p50/left: the median of p50 / remaining. The error alone flatters what is low: it cannot miss by more than 100%.
<= p90: remaining within the range's end. In band: between p50 and p90 (the baselines have no range). Silent: no estimate.
No change set was recorded: the changes are those that the log itself shows, in a failed operation not all of them."""
    return "\n".join(
        [
            head,
            *_table("Operations that succeeded", [case for case in cases if case.succeeded]),
            *_table("All; those that failed with their rollback, which nobody foretells before the failure", cases),
            *_table("Of these, those of a stack with other recordings", [case for case in cases if case.of_stack]),
            *_by_kind(cases),
        ]
    )


def _by_kind(cases: Sequence[Case]) -> Iterator[str]:
    """What an average over all kinds would hide."""
    for kind in sorted({case.kind for case in cases}):
        yield from _table(kind, [case for case in cases if case.kind == kind])


def _cases(operations: Sequence[tuple[str, Sequence[StackEvent]]]) -> Iterator[Case]:
    usable = [(name, events, past_operation(events)) for name, events in operations if is_usable(events)]
    for stack, events, own in usable:
        others = [(name, past) for name, _, past in usable if past and past is not own]
        of_stack = [past for name, past in others if name == stack]
        for share in _CUTS:
            yield Case(events, share, of_stack, [past for _, past in others])


def _table(title: str, cases: Sequence[Case]) -> list[str]:
    heads = "".join(f"{f'at {share:.0%}':>9}" for share in _CUTS)
    lines = [
        "",
        title,
        f"  {'':28}{'error':>8}{heads}{'p50/left':>10}{'<= p90':>9}{'in band':>9}{'cases':>7}{'silent':>8}",
    ]
    return lines + [_row(name, estimator, cases) for name, estimator in _ESTIMATORS.items()]


def _row(name: str, estimator: Callable[[Case], Estimate | None], cases: Sequence[Case]) -> str:
    told = [(case, estimate) for case in cases if (estimate := estimator(case))]
    errors = [_error(case, told_so) for case, told_so in told]
    by_cut = [[_error(case, told_so) for case, told_so in told if case.share == share] for share in _CUTS]
    ratios = [told_so.p50_seconds / case.left for case, told_so in told]
    within = [case.left <= told_so.p90_seconds for case, told_so in told]
    band = [told_so.p50_seconds <= case.left <= told_so.p90_seconds for case, told_so in told]
    cells = "".join(f"{_percent(median(each) if each else None):>9}" for each in by_cut)
    return (
        f"  {name:28}{_percent(median(errors) if errors else None):>8}{cells}"
        f"{f'{median(ratios):.2f}' if ratios else '-':>10}{_percent(_share(within)):>9}"
        f"{_percent(_share(band)):>9}{len(told):>7}{len(cases) - len(told):>8}"
    )


def _error(case: Case, estimate: Estimate) -> float:
    return abs(estimate.p50_seconds - case.left) / case.left


def _share(flags: Sequence[bool]) -> float | None:
    return mean(flags) if flags else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
