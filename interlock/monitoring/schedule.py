"""Which resource waits for which, and when the last one will be done: CloudFormation does at once whatever it can."""

from collections.abc import Collection, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

from interlock.models.past_operation import DELETE, PastOperation, PastResource


class Work(NamedTuple):
    """One thing to be done to a resource."""

    logical_id: str
    action: str


Needs = Mapping[Work, Collection[Work]]
"""Each with those that must have ended before it begins; no circles."""

Dependencies = Mapping[str, Collection[str]]
"""A template's resources, each with those that it refers to."""

NO_DEPENDENCIES: Final[Dependencies] = MappingProxyType({})

_SAME_MOMENT_SECONDS: Final = 0.5


def needs_in(dependencies: Dependencies, history: Sequence[PastOperation], pending: Collection[Work]) -> Needs:
    """By the template if it has all that is `pending` (a transform makes resources of its own), else by the history."""
    if dependencies and all(work.logical_id in dependencies for work in pending):
        return _by_template(dependencies, pending)
    return _by_history(history, pending)


def _by_template(dependencies: Dependencies, pending: Collection[Work]) -> Needs:
    """Through resources that do not change as well. Removals go the other way round."""
    actions = {work.logical_id: work.action for work in pending}
    works = {name: Work(name, actions.get(name, "")) for name in dependencies}
    needs = {works[name]: {works[each] for each in needed} for name, needed in dependencies.items()}
    if DELETE in actions.values():
        needs = {work: {other for other in needs if work in needs[other]} for work in needs}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:  # CloudFormation will refuse it; an estimate is no place to
        return {}
    return needs


def _by_history(history: Sequence[PastOperation], pending: Collection[Work]) -> Needs:
    """As the past operation shows them that has most in common with what is pending; the newest of several."""
    if not history:
        return {}
    alike = max(history, key=lambda past: len({_work(each) for each in past.resources} & set(pending)))
    # A resource may be updated twice, there and back: with its first time alone, nothing leads in a circle.
    first = {_work(each): each for each in sorted(alike.resources, key=lambda each: -each.start_seconds)}
    return {work: _awaited(each, first.values()) for work, each in first.items()}


def _awaited(resource: PastResource, others: Collection[PastResource]) -> list[Work]:
    """The last that had ended when it began: CloudFormation begins with the last thing that was missing."""
    begin = resource.start_seconds
    ended = [each for each in others if each.start_seconds < begin and each.end_seconds <= begin + _SAME_MOMENT_SECONDS]
    return [_work(max(ended, key=lambda each: each.end_seconds))] if ended else []


def _work(resource: PastResource) -> Work:
    return Work(resource.logical_id, resource.action)


def longest_path(running: Mapping[Work, float], waiting: Mapping[Work, float], needs: Needs, at_once: float) -> float:
    """Seconds until all of it is done, given the seconds that each takes (or, if it runs, still takes).

    Of what is `waiting`, that of which `needs` knows nothing begins after something that runs, and goes on as much
    `at_once` as usual.
    """
    ends: dict[Work, float] = {}
    for work in TopologicalSorter(needs).static_order():
        begins = max((ends[each] for each in needs.get(work, ())), default=0.0)
        # What is done, or no part of this operation, takes nothing.
        ends[work] = running[work] if work in running else begins + waiting.get(work, 0.0)
    latest = max(chain(running.values(), ends.values()), default=0.0)
    lost = [seconds for work, seconds in waiting.items() if work not in needs]
    if not lost:
        return latest
    first = min(running.values(), default=0.0)
    return max(latest, first + max(lost), (sum(running.values()) + sum(lost)) / at_once)
