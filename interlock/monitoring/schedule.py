"""Which resource waits for which, and when the last one will be done: CloudFormation does at once whatever it can."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from interlock.models.past_operation import PastOperation, PastResource


class Work(NamedTuple):
    """One thing to be done to a resource."""

    logical_id: str
    action: str


Triggers = Mapping[Work, Work | None]
"""Each with the one whose end let it begin; None: it began with the operation."""

_SAME_MOMENT_SECONDS: Final = 0.5


def triggers_in(history: Sequence[PastOperation], pending: Collection[Work]) -> Triggers:
    """As the past operation shows them that has most in common with what is `pending`; the newest of several."""
    if not history:
        return {}
    alike = max(history, key=lambda past: len({_work(each) for each in past.resources} & set(pending)))
    # A resource may be updated twice, there and back: with its first time alone, no chain of triggers leads in a circle.
    first = {_work(each): each for each in sorted(alike.resources, key=lambda each: -each.start_seconds)}
    return {work: _trigger(each, first.values()) for work, each in first.items()}


def _trigger(resource: PastResource, others: Collection[PastResource]) -> Work | None:
    """The last that had ended when it began: CloudFormation begins with the last thing that was missing."""
    begin = resource.start_seconds
    ended = [each for each in others if each.start_seconds < begin and each.end_seconds <= begin + _SAME_MOMENT_SECONDS]
    return _work(max(ended, key=lambda each: each.end_seconds)) if ended else None


def _work(resource: PastResource) -> Work:
    return Work(resource.logical_id, resource.action)


def longest_path(
    running: Mapping[Work, float], waiting: Mapping[Work, float], triggers: Triggers, at_once: float
) -> float:
    """Seconds until all of it is done, given the seconds that each takes (or, if it runs, still takes).

    What is `waiting` and has no known trigger begins after something that runs, and goes on as much `at_once` as usual.
    """
    placed = {work: _finish(work, running, waiting, triggers) for work in waiting if work in triggers}
    lost = [seconds for work, seconds in waiting.items() if work not in triggers]
    latest = max(chain(running.values(), placed.values()), default=0.0)
    if not lost:
        return latest
    first = min(running.values(), default=0.0)
    return max(latest, first + max(lost), (sum(running.values()) + sum(lost)) / at_once)


def _finish(work: Work, running: Mapping[Work, float], waiting: Mapping[Work, float], triggers: Triggers) -> float:
    """Up the chain of triggers. It ends: each trigger began before what it lets begin."""
    seconds = 0.0
    link: Work | None = work
    while link is not None:
        if link in running:
            return seconds + running[link]
        seconds += waiting.get(link, 0.0)  # what is done, or no part of this operation, takes nothing
        link = triggers.get(link)
    return seconds
