"""What the chapters need of a recording: the operation's own lines, and the changes that a change set would have told."""

from collections.abc import Sequence
from datetime import timedelta

from interlock.models.stack import Change, StackEvent
from interlock.monitoring.progress import Progress, progress_of
from tests.evaluation.recordings import Recording

_ACTIONS = {"CREATE": "Add", "UPDATE": "Modify", "DELETE": "Remove", "IMPORT": "Import"}


def operation_of(recording: Recording) -> tuple[StackEvent, ...]:
    """From the first line that the operation's token stands on: what DescribeStackEvents shows of the parent stack."""
    return tuple(sorted((each for each in recording.own_events if each.token), key=lambda each: each.timestamp))


def is_usable(events: Sequence[StackEvent]) -> bool:
    """It has its beginning and its end, and took some time."""
    own = [event for event in events if event.is_of_the_stack]
    return len(own) > 1 and not own[0].state.is_terminal and own[-1].state.is_terminal and seconds_of(events) > 0


def seconds_of(events: Sequence[StackEvent]) -> float:
    return (events[-1].timestamp - events[0].timestamp).total_seconds()


def changes_of(events: Sequence[StackEvent]) -> list[Change]:
    """By each resource's first line. What a failed operation never came to is missing: its change set knew more."""
    first: dict[str, StackEvent] = {}
    for event in events:
        if not event.is_of_the_stack:
            first.setdefault(event.logical_id, event)
    replaced = {each.logical_id for each in events if "new physical resource" in (each.reason or "")}
    return [
        Change(
            action=_ACTIONS.get(event.state.action, "Modify"),
            logical_id=name,
            resource_type=event.resource_type,
            replacement="True" if name in replaced else None,
        )
        for name, event in first.items()
    ]


def progress_at(events: Sequence[StackEvent], changes: Sequence[Change], seconds: float) -> Progress:
    """As a monitor saw it, so many seconds after the operation's first line."""
    now = events[0].timestamp + timedelta(seconds=seconds)
    return progress_of([each for each in events if each.timestamp <= now], changes, now)
