"""A stack whose events appear as an invented clock passes: a reader for the watcher, without waiting."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from interlock.errors import CloudFormationUnavailableError
from interlock.models.stack import Change, StackEvent

TOKEN = "20260114-215432-375a1384"
STACK_ID = "arn:aws:cloudformation:eu-west-1:1:stack/app/1"
START = datetime(2026, 1, 14, 21, 54, 32, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Replay:
    """Answers as the gateway does, with what has happened by now; `failing` reads fail first.

    `reads` counts those of the parent, `nested_reads` those of each nested stack.
    """

    def __init__(self, events: Sequence[StackEvent], clock: Clock, *, failing: int = 0) -> None:
        self.all, self.clock, self.failing, self.reads = list(events), clock, failing, 0
        self.nested_reads: Counter[str] = Counter()
        self.has_reads_to_spare = True

    def events(
        self, stack_id: str, *, after: str | None = None, not_before: datetime | None = None
    ) -> list[StackEvent]:
        if stack_id != self.all[0].stack_id:
            self.nested_reads[stack_id] += 1
            known = self._known(stack_id)
        else:
            known = self._read(stack_id)
        ids = [event.event_id for event in known]
        new = known[ids.index(after) + 1 if after else 0 :]
        return [event for event in new if not_before is None or event.timestamp >= not_before]

    def events_of_operation(
        self,
        stack_id: str,
        token: str,
        *,
        not_before: datetime | None = None,  # noqa: ARG002 - as the gateway's
    ) -> list[StackEvent]:
        return [event for event in self._read(stack_id) if event.is_of(token)]

    def _read(self, stack_id: str) -> list[StackEvent]:
        self.reads += 1
        if self.failing:
            self.failing -= 1
            raise CloudFormationUnavailableError("Rate exceeded")
        return self._known(stack_id)

    def _known(self, stack_id: str) -> list[StackEvent]:
        return [event for event in self.all if event.stack_id == stack_id and event.timestamp <= self.clock.now]


def line(seconds: float, logical_id: str, status: str, reason: str = "", kind: str = "AWS::SNS::Topic") -> StackEvent:
    is_own = logical_id == "app"
    return StackEvent(
        event_id=f"{seconds}/{logical_id}/{status}/{reason}",
        timestamp=START + timedelta(seconds=seconds),
        stack_id=STACK_ID,
        stack_name="app",
        logical_id=logical_id,
        physical_id=STACK_ID if is_own else None,
        resource_type="AWS::CloudFormation::Stack" if is_own else kind,
        status=status,
        reason=reason or None,
        token=TOKEN,
    )


def sequential(*seconds: float, kinds: Sequence[str] = ("AWS::SNS::Topic",)) -> list[StackEvent]:
    """A stack of resources made one after the other, with a little time between them."""
    events, at = [line(0.05, "app", "CREATE_IN_PROGRESS", "User Initiated")], 0.06
    for number, needed in enumerate(seconds):
        kind = kinds[number % len(kinds)]
        events.append(line(at, f"R{number}", "CREATE_IN_PROGRESS", kind=kind))
        at += needed
        events.append(line(at, f"R{number}", "CREATE_COMPLETE", kind=kind))
        at += 0.02
    return [*events, line(at + 0.02, "app", "CREATE_COMPLETE")]


def changes_of(events: Sequence[StackEvent]) -> list[Change]:
    kinds = {event.logical_id: event.resource_type for event in events if not event.is_of_the_stack}
    return [Change(action="Add", logical_id=name, resource_type=kind) for name, kind in kinds.items()]
