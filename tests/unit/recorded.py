"""Operations recorded on real AWS, read where they lie; tests that want them are skipped where they are absent."""

from functools import cache

import pytest

from interlock.models.stack import StackEvent
from tests.evaluation.recordings import DATA, TOKEN, Recording, recordings_in

__all__ = ["DATA", "TOKEN", "events", "names", "needs_recordings"]

needs_recordings = pytest.mark.skipif(not (DATA / "events").is_dir(), reason="no recorded data on this machine")


@cache
def _recordings() -> dict[str, Recording]:
    return {each.name: each for each in recordings_in(DATA / "events")}


def names(*, complete: bool) -> list[str]:
    return [each.name for each in _recordings().values() if each.is_complete is complete]


def events(name: str, *, own_only: bool = False) -> list[StackEvent]:
    """Oldest first; without the nested stacks' own lines if `own_only`, as DescribeStackEvents answers."""
    found = [each for each in _recordings().values() if name in each.name]
    assert len(found) == 1, f"{name} names {len(found)} recordings"
    return list(found[0].own_events if own_only else found[0].events)
