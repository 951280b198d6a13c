"""Operations recorded on real AWS: a folder of JSON files, one operation each (`EVENTS=folder make evaluate`)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from interlock.models.stack import StackEvent

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TOKEN = "20260114-215432-375a1384"
"""The recordings' own tokens differ from file to file; ours stands for each of them."""


@dataclass(frozen=True)
class Recording:
    """One operation, oldest event first; `is_complete`: from its start to a terminal status."""

    name: str
    stack_name: str
    is_complete: bool
    events: tuple[StackEvent, ...]
    root_cause_hint: str | None = None
    """The logical id that whoever recorded it guesses; no truth."""

    @property
    def has_failed(self) -> bool:
        """Something failed that was not only a cleanup's, or the stack ended rolled back."""
        own = [event.state for event in self.events if event.is_of_the_stack and event.stack_name == self.stack_name]
        if own and own[-1].is_terminal:
            return not own[-1].is_success and not own[-1].is_gone
        return any(event.state.is_failure for event in self.events)

    @property
    def own_events(self) -> tuple[StackEvent, ...]:
        """Without the nested stacks' lines, as DescribeStackEvents answers for the parent."""
        return tuple(event for event in self.events if event.stack_name == self.stack_name)


def recordings_in(folder: Path) -> list[Recording]:
    return [_recording(path) for path in sorted(folder.glob("*.json"))]


def _recording(path: Path) -> Recording:
    recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    lines: Sequence[dict[str, Any]] = recorded["events"]
    stack_name = recorded.get("stack_name") or _stack_name(lines)
    events = tuple(_event(line, number, stack_name) for number, line in enumerate(lines))
    guess = recorded.get("root_cause_hint") or {}
    return Recording(path.stem, stack_name, bool(recorded.get("complete")), events, guess.get("logical_id"))


def _stack_name(lines: Sequence[dict[str, Any]]) -> str:
    """The first stack that speaks of itself."""
    own = (line["logical_id"] for line in lines if line["resource_type"] == "AWS::CloudFormation::Stack")
    return next(own, "unknown")


def _event(line: dict[str, Any], number: int, parent: str) -> StackEvent:
    stack_name = line.get("stack_name") or parent
    stack_id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{stack_name}/id"
    # Console logs have no physical ids: there, a stack's own lines are those that bear its name.
    is_own = line["resource_type"] == "AWS::CloudFormation::Stack" and line["logical_id"] == stack_name
    return StackEvent(
        event_id=str(number),
        timestamp=datetime.fromisoformat(line["timestamp"]),
        stack_id=stack_id,
        stack_name=stack_name,
        logical_id=line["logical_id"],
        physical_id=stack_id if is_own else line.get("physical_id"),
        resource_type=line["resource_type"],
        status=line["status"],
        reason=line.get("reason"),
        token=None if line["status"] == "REVIEW_IN_PROGRESS" else TOKEN,
    )
