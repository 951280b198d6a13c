"""What failed in an operation, of itself: the first cause, what failed beside it, and what the rollback stumbled over."""

import re
from collections.abc import Sequence
from datetime import datetime

from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.hints import hint_for
from interlock.cloudformation.operation_log import OperationLog
from interlock.errors import InterlockError
from interlock.models.base import Value
from interlock.models.stack import NESTED_STACK, Failure, StackEvent

_STACK_ID = re.compile(r"arn:aws[\w-]*:cloudformation:[\w-]+:\d+:stack/[\w-]+/[\w-]+")
_DEEPEST = 5
_MOST_LISTED = 5


class Failures(Value):
    """The failures of one operation.

    `first_cause` is None when no event tells (the log is incomplete, or nothing failed). `also_failed` did so before
    anything was cancelled, so independently. `of_rollback` is why the rollback itself did not succeed, not why it began.
    """

    first_cause: Failure | None = None
    also_failed: tuple[Failure, ...] = ()
    of_rollback: tuple[Failure, ...] = ()


def failures_of(events: Sequence[StackEvent]) -> Failures:
    """From the events of ONE operation, oldest first; those of its nested stacks may be among them."""
    log = OperationLog.of(events)
    of_rollback = tuple(_failure_of(event, events) for event in log.undone_badly.values())
    if not log.causes:
        is_continued = bool(events) and events[0].is_of_the_stack and events[0].state.is_rolling_back
        last_resort = _failure_in_summary(log, events) or (of_rollback[0] if of_rollback and is_continued else None)
        return Failures(first_cause=last_resort, of_rollback=of_rollback)
    first, *others = log.causes
    beside = {
        cause.event.logical_id: cause.event
        for cause in others
        if cause.event.stack_id == first.event.stack_id
        and not (cause.after_cancellation or cause.event.is_of_the_stack or first.event.is_of_the_stack)
    }
    beside.pop(first.event.logical_id, None)
    return Failures(
        first_cause=_failure_of(first.event, events),
        also_failed=tuple(_failure_of(event, events) for event in beside.values())[:_MOST_LISTED],
        of_rollback=of_rollback,
    )


def failures_within(gateway: CloudFormation, events: Sequence[StackEvent], *, most: int = _MOST_LISTED) -> Failures:
    """As `failures_of`, followed into nested stacks: of those, the parent's log says only that they failed. `most`: so
    many of the rollback's.

    An error while reading a nested stack's events ends the search where it is: this is help, not an outcome.
    """
    return _followed(gateway, failures_of(events), events[0].timestamp, _DEEPEST, most) if events else Failures()


def first_cause(events: Sequence[StackEvent]) -> Failure | None:
    """The resource that failed first, else what the stack itself says."""
    return failures_of(events).first_cause


def first_cause_within(gateway: CloudFormation, events: Sequence[StackEvent]) -> Failure | None:
    """As `first_cause`, followed into nested stacks."""
    return failures_within(gateway, events).first_cause


def _followed(gateway: CloudFormation, found: Failures, since: datetime, depth: int, most: int) -> Failures:
    inner = _inside(gateway, found.first_cause, since, depth, most)
    undone = [(each, _inside(gateway, each, since, depth, most).of_rollback) for each in found.of_rollback[:most]]
    return Failures(
        first_cause=inner.first_cause or found.first_cause,
        also_failed=(*inner.also_failed, *found.also_failed)[:_MOST_LISTED],
        of_rollback=tuple(failure for outer, within in undone for failure in within or (outer,)),
    )


def _inside(gateway: CloudFormation, failure: Failure | None, since: datetime, depth: int, most: int) -> Failures:
    """What failed in the nested stack that `failure` speaks of; nothing if it is none, and then nothing is read."""
    stack_id = _nested_stack_of(failure)
    if stack_id is None or depth == 0:
        return Failures()
    try:
        inside = gateway.events(stack_id, not_before=since)
    except InterlockError:
        return Failures()
    return _followed(gateway, failures_of(inside), since, depth - 1, most)


def _nested_stack_of(failure: Failure | None) -> str | None:
    if failure is None or failure.resource_type != NESTED_STACK:
        return None
    if failure.physical_id:
        return failure.physical_id
    named = _STACK_ID.search(failure.reason)
    return named[0] if named and named[0] != failure.stack_id else None


def _failure_in_summary(log: OperationLog, events: Sequence[StackEvent]) -> Failure | None:
    """The last resort of a log without the failure's own line: the one that the stack names beside the cancelled ones."""
    if log.summary is None:
        return None
    failure = _failure_of(log.summary, events)
    named = log.named_in_summary()
    if len(named) != 1:
        return failure
    logical_id = named.pop()
    lines = (each for each in events if each.logical_id == logical_id and each.stack_id == log.summary.stack_id)
    known = next(lines, None)
    return failure.model_copy(
        update={
            "logical_id": logical_id,
            "resource_type": known.resource_type if known else "type unknown",
            "physical_id": known.physical_id if known else None,
        }
    )


def _failure_of(event: StackEvent, events: Sequence[StackEvent]) -> Failure:
    reason = _with_hooks_words(event, events)
    hint = hint_for(reason, event.resource_type)
    return Failure(
        logical_id=event.logical_id,
        resource_type=event.resource_type,
        status=event.status,
        reason=reason,
        timestamp=event.timestamp,
        stack_name=event.stack_name,
        stack_id=event.stack_id,
        physical_id=None if event.is_of_the_stack else event.physical_id,
        kind=hint.kind if hint else None,
        hint=hint.text if hint else None,
    )


def _with_hooks_words(event: StackEvent, events: Sequence[StackEvent]) -> str:
    """The reason; of a resource that a hook refused, with what the hook said in a line of its own."""
    reason = event.reason or event.status
    if "hook(s)" not in reason:
        return reason
    lines = (each.reason or "" for each in events if each.logical_id == event.logical_id)
    said = [line for line in lines if line.startswith("Hook ") and "FAILED" in line]
    return f"{reason} {said[-1]}" if said else reason
