"""The first cause of a failed operation: what failed before the cancellations and the rollback that followed."""

from collections.abc import Iterable, Sequence

from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.hints import hint_for
from interlock.errors import InterlockError
from interlock.models.stack import Failure, StackEvent

_NESTED_STACK = "AWS::CloudFormation::Stack"
_DEEPEST = 5
_SUMMARY = "The following resource(s) failed"


def first_cause(events: Iterable[StackEvent]) -> Failure | None:
    """From the events of ONE operation, oldest first: the resource that failed first, else what the stack itself says.

    None when no event tells (the log is incomplete, or nothing failed).
    """
    event = _first_failed(events)
    return _failure_of(event) if event else None


def first_cause_within(gateway: CloudFormation, events: Sequence[StackEvent]) -> Failure | None:
    """As `first_cause`, followed into nested stacks: of those, the parent's log says only that they failed.

    An error while reading a nested stack's events ends the search where it is: this is help, not an outcome.
    """
    event = _first_failed(events)
    for _ in range(_DEEPEST):
        inner = _first_failed(_events_inside(gateway, event, events)) if event else None
        if inner is None:
            break
        event = inner
    return _failure_of(event) if event else None


def _first_failed(events: Iterable[StackEvent]) -> StackEvent | None:
    summary = None
    for event in events:
        if not event.is_of_the_stack:
            if event.state.is_failure and not event.is_cancellation:
                return event
        elif event.reason and (event.state.is_rolling_back or event.state.is_failure):
            if not event.reason.startswith(_SUMMARY):
                # "Attribute 'X' does not exist", a hook's refusal, a person's cancellation: no resource failed before.
                return event
            summary = summary or event
    return summary


def _events_inside(gateway: CloudFormation, event: StackEvent, events: Sequence[StackEvent]) -> list[StackEvent]:
    """The events of the nested stack that `event` speaks of, as far as they belong to this operation."""
    if event.resource_type != _NESTED_STACK or not event.physical_id or event.is_of_the_stack:
        return []
    try:
        inside = gateway.events(event.physical_id)
    except InterlockError:
        return []
    return [each for each in inside if each.timestamp >= events[0].timestamp]


def _failure_of(event: StackEvent) -> Failure:
    reason = event.reason or event.status
    return Failure(
        logical_id=event.logical_id,
        resource_type=event.resource_type,
        status=event.status,
        reason=reason,
        timestamp=event.timestamp,
        stack_name=event.stack_name,
        hint=hint_for(reason),
    )
