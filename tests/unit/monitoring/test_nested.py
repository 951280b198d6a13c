"""Nested stacks: their resources are shown, with reads that are to spare; they decide nothing."""

import re
from datetime import timedelta

import pytest

from interlock.errors import CloudFormationUnavailableError
from interlock.models.stack import StackEvent
from interlock.monitoring.progress import ResourceState
from interlock.monitoring.watcher import Observation, StackWatcher
from tests.unit import recorded
from tests.unit.monitoring.replay import START, TOKEN, Clock, Replay, changes_of, line

NESTED = "AWS::CloudFormation::Stack"


def stack_id(name: str) -> str:
    return f"arn:aws:cloudformation:eu-west-1:1:stack/{name}/1"


def nested_line(seconds: float, stack: str, logical_id: str, status: str) -> StackEvent:
    """A line in a nested stack's own log."""
    event = line(seconds, logical_id, status)
    is_own = logical_id == stack
    return event.model_copy(
        update={
            "event_id": f"{stack}/{event.event_id}",
            "stack_id": stack_id(stack),
            "stack_name": stack,
            "physical_id": stack_id(stack) if is_own else None,
            "resource_type": NESTED if is_own else event.resource_type,
            "token": None,
        }
    )


def about(seconds: float, inner: str, status: str, *, within: str | None = None) -> StackEvent:
    """A parent's line about a nested stack."""
    event = nested_line(seconds, within, inner, status) if within else line(seconds, inner, status, kind=NESTED)
    return event.model_copy(update={"physical_id": stack_id(inner), "resource_type": NESTED})


A_PARENT = [
    line(0, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
    about(1, "Inner", "UPDATE_IN_PROGRESS"),
    nested_line(-900, "Inner", "Old", "CREATE_FAILED"),
    nested_line(1.2, "Inner", "Inner", "UPDATE_IN_PROGRESS"),
    nested_line(1.5, "Inner", "Topic", "CREATE_IN_PROGRESS"),
    about(2, "Deep", "CREATE_IN_PROGRESS", within="Inner"),
    nested_line(3, "Deep", "Queue", "CREATE_IN_PROGRESS"),
    nested_line(20, "Deep", "Queue", "CREATE_COMPLETE"),
    nested_line(21, "Inner", "Topic", "CREATE_COMPLETE"),
    about(22, "Deep", "CREATE_COMPLETE", within="Inner"),
    nested_line(23, "Inner", "Inner", "UPDATE_COMPLETE"),
    about(24, "Inner", "UPDATE_COMPLETE"),
    line(60, "Late", "CREATE_IN_PROGRESS"),
    line(80, "Late", "CREATE_COMPLETE"),
    line(81, "app", "UPDATE_COMPLETE"),
]


def watch(events: list[StackEvent]) -> tuple[StackWatcher, Replay, Clock]:
    clock = Clock()
    replay = Replay(events, clock)
    own = [each for each in events if each.stack_id == events[0].stack_id]
    watcher = StackWatcher(
        replay,
        stack_id=events[0].stack_id,
        token=TOKEN,
        started_after=START,
        changes=changes_of(own),
        clock=clock,
    )
    return watcher, replay, clock


def followed(events: list[StackEvent]) -> tuple[list[Observation], Replay]:
    watcher, replay, clock = watch(events)
    return list(watcher.follow(clock.sleep)), replay


def test_rows_of_nested_stacks_are_named_after_the_way_to_them() -> None:
    observations, _ = followed(A_PARENT)
    rows = {row.logical_id: row.state for row in observations[-1].progress.nested}
    done = ResourceState.DONE
    assert rows == {"Inner/Topic": done, "Inner/Deep": done, "Inner/Deep/Queue": done}
    running = {row.logical_id for each in observations for row in each.progress.nested if row.state != done}
    assert running == {"Inner/Topic", "Inner/Deep", "Inner/Deep/Queue"}


def test_they_decide_and_count_nothing() -> None:
    failing = [*A_PARENT[:5], nested_line(5, "Inner", "Topic", "CREATE_FAILED"), *A_PARENT[11:]]
    with_nested, _ = followed(failing)
    own = [each for each in failing if each.stack_name == "app"]
    last = with_nested[-1]
    assert (last.outcome, last.progress.failed, len(last.progress.resources)) == ("UPDATE_COMPLETE", 0, 2)
    assert list(last.events) == own


def test_an_ended_nested_stack_is_read_once_more_and_then_left_alone() -> None:
    watcher, replay, clock = watch(A_PARENT)
    reads = {}
    for observation in watcher.follow(clock.sleep):
        reads[observation.observed_at] = replay.nested_reads[stack_id("Inner")]
    after = [count for at, count in reads.items() if at >= START + timedelta(seconds=24)]
    assert len(after) > 2
    assert set(after) == {after[0]}
    assert all(row.state is ResourceState.DONE for row in observation.progress.nested)


def test_without_reads_to_spare_they_are_not_read_and_nothing_else_changes() -> None:
    plain, counted = followed(A_PARENT)
    watcher, replay, clock = watch(A_PARENT)
    replay.has_reads_to_spare = False
    observations = list(watcher.follow(clock.sleep))
    assert not replay.nested_reads
    assert replay.reads <= counted.reads
    assert (observations[-1].outcome, observations[-1].progress.nested) == (plain[-1].outcome, ())


def test_stacks_nested_more_than_five_deep_are_not_read() -> None:
    deep = [line(0, "app", "CREATE_IN_PROGRESS"), about(1, "N1", "CREATE_IN_PROGRESS")]
    deep += [about(1, f"N{n + 1}", "CREATE_IN_PROGRESS", within=f"N{n}") for n in range(1, 8)]
    _, replay = followed([*deep, line(30, "app", "CREATE_COMPLETE")])
    assert set(replay.nested_reads) == {stack_id(f"N{n}") for n in range(1, 6)}


def test_one_that_cannot_be_read_is_given_up_after_three_times_and_delays_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watcher, replay, clock = watch(A_PARENT)
    read, tries = replay.events, []

    def events(stack_id_: str, **which: object) -> list[StackEvent]:
        if stack_id_ == stack_id("Inner"):
            tries.append(stack_id_)
            raise CloudFormationUnavailableError("Rate exceeded")
        return read(stack_id_, **which)  # type: ignore[arg-type]

    monkeypatch.setattr(replay, "events", events)
    observations = list(watcher.follow(clock.sleep))
    assert len(tries) == 3
    assert [each.nested_error for each in observations if each.nested_error] == ["Inner: Rate exceeded"] * 3
    assert not any(each.read_error for each in observations)
    assert observations[-1].outcome == "UPDATE_COMPLETE"


def with_nested_ids(events: list[StackEvent]) -> list[StackEvent]:
    """The recordings name a nested stack's log by its stack's name; so must the parents' lines about it."""

    def renamed(event: StackEvent) -> StackEvent:
        found = re.search(r":stack/([^/]+)/", event.physical_id or "")
        if event.resource_type != NESTED or found is None:
            return event
        return event.model_copy(update={"physical_id": re.sub(r":stack/.*", f":stack/{found[1]}/id", event.stack_id)})

    return [renamed(event) for event in events]


@recorded.needs_recordings
@pytest.mark.parametrize("name", ["add_function_storage", "delete_function_storage", "new_deployment"])
def test_recorded_nested_stacks_are_shown_and_the_parents_end_ends(name: str) -> None:
    events = with_nested_ids(recorded.events(f"amplify-backend--{name}"))
    shift = START - events[0].timestamp
    events = [each.model_copy(update={"timestamp": each.timestamp + shift}) for each in events if each.token]
    observations, replay = followed(events)
    last = observations[-1]
    own = [each for each in events if each.stack_id == events[0].stack_id]
    inner = [each for each in events if each.stack_id != events[0].stack_id and each.resource_type != NESTED]
    shown = {row.logical_id.rsplit("/", 1)[-1]: row.state for row in last.progress.nested}
    assert last.outcome == own[-1].status
    assert len(last.progress.resources) == len({each.logical_id for each in own if not each.is_of_the_stack})
    assert {each.logical_id for each in inner} <= set(shown)
    assert set(shown.values()) == {ResourceState.DONE}
    assert max(replay.nested_reads.values()) <= replay.reads
