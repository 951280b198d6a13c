"""What an operation leaves for the estimates of later ones."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from interlock.models.deployment import Deployment
from interlock.models.past_operation import PastOperation, PastResource
from interlock.models.stack import StackEvent

HISTORY_FOR_ESTIMATES: Final = 10
"""So many earlier deployments of an environment are looked at."""

MOST_RESOURCES: Final = 200
"""Kept of one operation, the longest first: a record is one item, and DynamoDB's items end at 400 KB.

A logical id has at most 255 characters, so that is 100 KB at the very most, 25 KB as people name things.
"""


def past_operation(events: Sequence[StackEvent]) -> PastOperation | None:
    """From the events of an operation that has ended, oldest first; None while it has not."""
    own = [event for event in events if event.is_of_the_stack]
    if not own or not own[-1].state.is_terminal:
        return None
    start, end = events[0].timestamp, own[-1].timestamp
    resources = list(_completed(events, start))
    took = (end - start).total_seconds()
    return PastOperation(
        kind=own[0].state.action,
        seconds=took,
        end_seconds=_end_seconds(own, resources, took),
        resources=tuple(sorted(resources, key=lambda each: -each.seconds)[:MOST_RESOURCES]),
    )


def past_operations(history: Iterable[Deployment]) -> tuple[PastOperation, ...]:
    """Those of an environment's earlier deployments, in their order; of older records, how long they took is known."""
    return tuple(past for deployment in history if (past := _of_record(deployment)))


def _of_record(deployment: Deployment) -> PastOperation | None:
    if deployment.operation or deployment.no_changes or not deployment.duration_seconds:
        return deployment.operation
    return PastOperation(seconds=deployment.duration_seconds)


def _end_seconds(own: Sequence[StackEvent], resources: Sequence[PastResource], took: float) -> float | None:
    if not own[-1].state.is_success:
        return None
    return max(0.0, took - max((each.end_seconds for each in resources), default=0.0))


def _completed(events: Sequence[StackEvent], start: datetime) -> Iterable[PastResource]:
    begun: dict[tuple[str, str], datetime] = {}
    for event in events:
        key = (event.logical_id, event.state.action)
        if event.is_of_the_stack:
            continue
        if event.state.is_in_progress:
            begun.setdefault(key, event.timestamp)  # later lines of the same run start nothing anew
        elif (since := begun.pop(key, None)) and not event.state.is_failure:
            yield PastResource(
                logical_id=event.logical_id,
                resource_type=event.resource_type,
                action=event.state.action,
                start_seconds=round((since - start).total_seconds(), 1),
                seconds=round((event.timestamp - since).total_seconds(), 1),
            )
