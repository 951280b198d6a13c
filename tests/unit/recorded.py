"""Operations recorded on real AWS, read where they lie; tests that want them are skipped where they are absent."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from interlock.models.stack import StackEvent

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TOKEN = "20260114-215432-375a1384"

needs_recordings = pytest.mark.skipif(not (DATA / "events").is_dir(), reason="no recorded data on this machine")


@cache
def operation(name: str) -> dict[str, Any]:
    found = [path for path in (DATA / "events").glob("*.json") if name in path.name]
    assert len(found) == 1, f"{name} names {len(found)} recordings"
    loaded: dict[str, Any] = json.loads(found[0].read_text())
    return loaded


def names(*, complete: bool) -> list[str]:
    paths = sorted((DATA / "events").glob("*.json"))
    return [path.stem for path in paths if json.loads(path.read_text())["complete"] is complete]


def events(name: str, *, own_only: bool = False) -> list[StackEvent]:
    """Oldest first; without the nested stacks' own lines if `own_only`, as DescribeStackEvents answers."""
    recorded = operation(name)
    read = list(_events(recorded))
    return [event for event in read if event.stack_name == recorded["stack_name"]] if own_only else read


def _events(recorded: dict[str, Any]) -> Iterator[StackEvent]:
    for number, line in enumerate(recorded["events"]):
        stack_name = line.get("stack_name") or recorded["stack_name"]
        stack_id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{stack_name}/id"
        is_own = line["resource_type"] == "AWS::CloudFormation::Stack" and line["logical_id"] == stack_name
        yield StackEvent(
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
