"""One reader: it sees every event once, the end soon, with few reads; and a failed read decides nothing."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest

from interlock.models.stack import StackEvent
from interlock.monitoring.watcher import Observation, StackWatcher
from tests.unit import recorded
from tests.unit.monitoring.replay import STACK_ID, START, TOKEN, Clock, Replay, changes_of, line, sequential

MIXED = ("AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::SSM::Parameter", "AWS::SNS::Topic", "AWS::IAM::Role")


def watch(events: Sequence[StackEvent], *, failing: int = 0) -> tuple[list[Observation], Replay, float]:
    """All observations, the reader, and the seconds from the operation's end to its detection."""
    clock = Clock()
    replay = Replay(events, clock, failing=failing)
    watcher = StackWatcher(
        replay, stack_id=STACK_ID, token=TOKEN, started_after=START, changes=changes_of(events), clock=clock
    )
    observations = list(watcher.follow(clock.sleep))
    end = next(event for event in events if event.is_of_the_stack and event.state.is_terminal)
    return observations, replay, (clock.now - end.timestamp).total_seconds()


@pytest.mark.parametrize("kinds", [("AWS::SNS::Topic",), MIXED, MIXED[::-1]])
@pytest.mark.parametrize("seconds", [1.9, 2.0, 2.05, 2.1])
def test_five_resources_of_two_seconds_cost_five_reads_and_the_end_is_seen_at_once(
    seconds: float, kinds: tuple[str, ...]
) -> None:
    observations, replay, late_seconds = watch(sequential(*[seconds] * 5, kinds=kinds))
    assert observations[-1].outcome == "CREATE_COMPLETE"
    assert replay.reads <= 5
    assert late_seconds <= 0.7


@pytest.mark.parametrize("seconds", [(1,), (3, 1, 5), (60, 20, 40), (600,), (1, 2, 300, 2)])
def test_the_end_of_any_operation_is_seen_within_a_twentieth_or_two_seconds_or_fifteen(
    seconds: tuple[int, ...],
) -> None:
    _, replay, late_seconds = watch(sequential(*seconds))
    assert late_seconds <= min(15, max(2, 0.1 * sum(seconds)))
    assert replay.reads <= 8 + sum(seconds) / 3


def test_each_event_is_new_once() -> None:
    events = sequential(2, 2, 2)
    observations, _, _ = watch(events)
    assert [event for each in observations for event in each.new_events] == events


def test_a_failed_read_is_neither_success_nor_failure_and_is_repeated() -> None:
    events = sequential(2, 2)
    observations, _, _ = watch(events, failing=3)
    failed = [each for each in observations if each.read_error]
    assert [each.failed_reads for each in failed] == [1, 2, 3]
    assert not any(each.is_ended for each in failed)
    assert failed[0].next_look_seconds < failed[1].next_look_seconds < failed[2].next_look_seconds
    assert observations[-1].outcome == "CREATE_COMPLETE"
    assert [event for each in observations for event in each.new_events] == events


def test_an_operation_that_a_stranger_deletes_ends_with_the_deletion() -> None:
    events = [
        *sequential(2)[:-1],
        line(5, "app", "DELETE_IN_PROGRESS", "User Initiated").model_copy(update={"token": "Console-Delete-1"}),
        line(9, "app", "DELETE_COMPLETE").model_copy(update={"token": "Console-Delete-1"}),
    ]
    observations, _, _ = watch(events)
    assert observations[-1].outcome == "DELETE_COMPLETE"


def test_what_another_operation_writes_after_the_end_is_not_seen() -> None:
    first = sequential(2)
    later = line(2.2, "app", "UPDATE_IN_PROGRESS", "User Initiated").model_copy(update={"token": "another"})
    observations, _, _ = watch([*first, later])
    assert list(observations[-1].events) == first


def test_two_who_look_share_the_reads() -> None:
    clock = Clock()
    replay = Replay(sequential(2, 2, 2), clock)
    watcher = StackWatcher(replay, stack_id=STACK_ID, token=TOKEN, started_after=START, clock=clock)
    clock.sleep(1)
    threads = [threading.Thread(target=watcher.observe) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replay.reads == 1


def test_a_follower_who_comes_late_is_told_everything() -> None:
    clock = Clock()
    events = sequential(2)
    watcher = StackWatcher(Replay(events, clock), stack_id=STACK_ID, token=TOKEN, started_after=START, clock=clock)
    list(watcher.follow(clock.sleep))
    (only,) = watcher.follow(clock.sleep)
    assert list(only.new_events) == events


@recorded.needs_recordings
def test_each_recorded_operation_is_followed_to_its_end() -> None:
    for name in recorded.names(complete=True):
        events = recorded.events(name, own_only=True)
        start = next(event for event in events if event.is_of_the_stack and event.state.begins_operation)
        clock = Clock()
        shift = START - start.timestamp
        events = [each.model_copy(update={"timestamp": each.timestamp + shift}) for each in events if each.token]
        watcher = StackWatcher(
            Replay(events, clock),
            stack_id=start.stack_id,
            token=TOKEN,
            started_after=START,
            changes=changes_of(events),
            clock=clock,
        )
        *_, last = watcher.follow(clock.sleep)
        duration = (events[-1].timestamp - START) / timedelta(seconds=1)
        late = (clock.now - events[-1].timestamp).total_seconds()
        own = [event for event in events if event.is_of_the_stack]
        assert last.outcome == own[-1].status
        assert last.stall is None
        assert late <= max(2, 0.1 * duration), name
