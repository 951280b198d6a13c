"""300 resources, 2,000 events: what a poll costs does not grow with the log. Counted, not timed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from interlock.cloudformation.gateway import CloudFormation
from interlock.models.stack import StackEvent
from interlock.monitoring import progress
from interlock.monitoring.watcher import Observation, StackWatcher
from tests.unit.monitoring.replay import STACK_ID, START, TOKEN, Clock, Replay, changes_of, line

RESOURCES, EVENTS, SECONDS = 300, 2000, 1800


def a_large_operation() -> list[StackEvent]:
    """Each resource repeats itself ("Eventual consistency check initiated") before it is complete."""
    lines = [line(0, "app", "CREATE_IN_PROGRESS", "User Initiated")]
    for number in range(EVENTS - 2):
        round_, resource = divmod(number, RESOURCES)
        status = "CREATE_COMPLETE" if number >= EVENTS - 2 - RESOURCES else "CREATE_IN_PROGRESS"
        lines.append(line(1 + number * (SECONDS - 2) / EVENTS, f"R{resource}", status, f"{round_}"))
    return [*lines, line(SECONDS, "app", "CREATE_COMPLETE")]


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The id of each event that was applied to a row, each time that it was."""
    applied: list[str] = []
    write = progress._Row.write

    def counting(row: progress._Row, event: StackEvent, stage: progress.Stage) -> None:
        applied.append(event.event_id)
        write(row, event, stage)

    monkeypatch.setattr(progress._Row, "write", counting)
    return applied


def observations_of(events: list[StackEvent], reader: Any, clock: Clock) -> Iterator[Observation]:
    watcher = StackWatcher(
        reader, stack_id=STACK_ID, token=TOKEN, started_after=START, changes=changes_of(events), clock=clock
    )
    return watcher.follow(clock.sleep)


def test_each_event_is_applied_once_and_a_poll_applies_the_new_ones_alone(written: list[str]) -> None:
    events, clock = a_large_operation(), Clock()
    before = 0
    for observation in observations_of(events, Replay(events, clock), clock):
        new = [each for each in observation.new_events if not each.is_of_the_stack]
        assert written[before:] == [each.event_id for each in new]
        before = len(written)
    assert len(written) == len(set(written)) == EVENTS - 2
    assert len(observation.progress.resources) == RESOURCES
    assert observation.progress.done == RESOURCES


def test_observations_share_the_log_and_the_rows_that_did_not_change() -> None:
    events, clock = a_large_operation(), Clock()
    observations = list(observations_of(events, Replay(events, clock), clock))
    assert len(observations) > 100
    logs = {id(cast(Any, each.events)._lines) for each in observations}
    assert len(logs) == 1
    counts = [len(each.events) for each in observations]
    assert counts == sorted(counts)
    assert counts[-1] == EVENTS
    early, late = observations[-2].progress.resources, observations[-1].progress.resources
    shared = sum(one is other for one, other in zip(early, late, strict=True))
    finished_since = len(observations[-1].new_events)
    assert shared >= RESOURCES - finished_since


def test_a_look_at_an_earlier_moment_does_not_see_what_came_later() -> None:
    events, clock = a_large_operation(), Clock()
    polls = observations_of(events, Replay(events, clock), clock)
    early = [next(polls) for _ in range(20)][-1]
    seen = list(early.events)
    list(polls)
    assert list(early.events) == seen
    assert seen == events[: len(seen)]


def test_a_poll_asks_aws_for_the_newest_page_alone_however_long_the_log() -> None:
    """AWS shows a log newest first, a hundred lines a page: the gateway stops at the line that it knows."""
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    gateway = CloudFormation(cast(Any, client))
    for length in (200, 1000, EVENTS):
        with Stubber(client) as aws:
            newest = [
                {
                    "EventId": str(number),
                    "StackId": STACK_ID,
                    "StackName": "app",
                    "Timestamp": START + timedelta(seconds=number),
                }
                for number in range(length, length - 100, -1)
            ]
            aws.add_response("describe_stack_events", {"StackEvents": newest, "NextToken": "older"})
            assert len(gateway.events(STACK_ID, after=str(length - 5))) == 5
            aws.assert_no_pending_responses()  # and a second request would have found no answer here
