"""The operation of a command: it bears no token of ours, so it is known by its place in the stack's log.

Right before a command is started, with the environment held and the stack quiet, the newest event is put on record as the
mark. What begins after it is the command's doing. No clock is compared with another's.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from interlock.clock import Clock
from interlock.cloudformation.aws_errors import says_absent
from interlock.cloudformation.gateway import CloudFormation
from interlock.errors import CloudFormationRefusedError, InterlockError
from interlock.models.base import Value
from interlock.models.stack import Stack, StackEvent

_LOOK_SECONDS = 1.0


class Seen(Value):
    """The stack, and the last operation that began after the mark: its events, oldest first; none if none has begun."""

    stack: Stack | None
    events: tuple[StackEvent, ...] = ()

    @property
    def status(self) -> str | None:
        """The stack's status at the operation's end, None before it."""
        return next((event.status for event in self.events if _ends(event)), None)

    @property
    def is_running(self) -> bool:
        """By either: the events may lag behind the stack's status, and it behind them."""
        is_busy = self.stack is not None and self.stack.state.is_in_progress
        return is_busy or bool(self.events and self.status is None)


class Patience(Value):
    """How long it takes, in seconds from the first look, to be sure that nothing has begun, or that nothing more will."""

    unseen_seconds: float
    seen_seconds: float = 0

    def is_over(self, seen: Seen, waited_seconds: float) -> bool:
        return waited_seconds >= (self.seen_seconds if seen.events else self.unseen_seconds)


def when_settled(
    look_again: Callable[[], Seen],
    patience: Patience,
    *,
    pause: Callable[[float], object],
    tell: Callable[[Exception], None],
    clock: Clock,
) -> Seen | None:
    """What is there once the stack is quiet and the patience is over. A failed read decides nothing (promise 10): it is told
    and repeated. None when `pause` answers that we are torn down.
    """
    began = clock()
    while True:
        try:
            seen = look_again()
            if not seen.is_running and patience.is_over(seen, (clock() - began).total_seconds()):
                return seen
        except InterlockError as error:
            tell(error)
        if pause(_LOOK_SECONDS):
            return None


def look(gateway: CloudFormation, stack_name: str, *, after: str | None) -> Seen:
    """Raises CloudFormationUnavailableError and its like: then nothing is known."""
    stack = gateway.stack(stack_name)
    return Seen(stack=stack, events=last_operation(gateway.events(stack.stack_id, after=after)) if stack else ())


def last_operation(events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    """Of the events after a mark, oldest first: those of the operation that began last."""
    begins = [index for index, event in enumerate(events) if _begins(event)]
    return _to_its_end(events[begins[-1] :]) if begins else ()


def first_operation(events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    """As `last_operation`; of the one that began first."""
    begin = next((index for index, event in enumerate(events) if _begins(event)), None)
    return () if begin is None else _to_its_end(events[begin:])


class EventsAfterMark:
    """Reads for a watcher: the first operation after the mark, of a stack that need not exist yet (then: no events)."""

    def __init__(self, gateway: CloudFormation, *, after: str | None) -> None:
        self._gateway = gateway
        self._after = after

    @property
    def has_reads_to_spare(self) -> bool:
        return self._gateway.has_reads_to_spare

    def events(
        self, stack_id: str, *, after: str | None = None, not_before: datetime | None = None
    ) -> list[StackEvent]:
        try:
            return self._gateway.events(stack_id, after=after, not_before=not_before)
        except CloudFormationRefusedError as refusal:
            if says_absent(refusal):
                return []
            raise

    def events_of_operation(
        self,
        stack_id: str,
        token: str,  # noqa: ARG002 - a command's operation bears none that is known
        *,
        not_before: datetime | None = None,  # noqa: ARG002 - the mark says more
    ) -> list[StackEvent]:
        return list(first_operation(self.events(stack_id, after=self._after)))


def _begins(event: StackEvent) -> bool:
    return event.is_of_the_stack and event.state.begins_operation


def _ends(event: StackEvent) -> bool:
    return event.is_of_the_stack and event.state.is_terminal


def _to_its_end(events: Sequence[StackEvent]) -> tuple[StackEvent, ...]:
    end = next((index for index, event in enumerate(events) if _ends(event)), len(events))
    return tuple(events[: end + 1])
