from datetime import timedelta

import pytest

from interlock.models.stack import Change
from interlock.monitoring.estimate import remaining
from interlock.monitoring.pace import next_delay_seconds
from interlock.monitoring.progress import Progress, ResourceState, Stage, progress_of
from interlock.monitoring.stall import stall_of
from tests.unit import recorded
from tests.unit.monitoring.replay import START, changes_of, line, sequential


def at(seconds: float) -> Progress:
    events = [each for each in sequential(2, 2, 2, 2) if (each.timestamp - START).total_seconds() <= seconds]
    return progress_of(events, changes_of(sequential(2, 2, 2, 2)), START + timedelta(seconds=seconds))


def test_before_the_first_event_everything_waits() -> None:
    progress = at(0)
    assert (progress.stage, progress.waiting, progress.percent) == (Stage.UNSEEN, 4, 0)


def test_in_the_middle_there_are_rows_done_running_and_waiting() -> None:
    progress = at(5)
    assert (progress.done, progress.running, progress.waiting, progress.failed) == (2, 1, 1, 0)
    assert (progress.stage, progress.percent) == (Stage.DEPLOYING, 50)
    done, running = progress.resources[0], progress.in_state(ResourceState.RUNNING)[0]
    assert done.seconds == pytest.approx(2)
    assert running.seconds == pytest.approx(0.9, abs=0.01)


def test_only_the_stack_itself_says_a_hundred_percent() -> None:
    events = sequential(2)
    assert progress_of(events[:-1], changes_of(events), START).percent == 99
    assert progress_of(events, changes_of(events), START).percent == 100


def test_a_repeated_in_progress_line_starts_nothing_anew() -> None:
    events = [
        line(0, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(1, "Role", "UPDATE_IN_PROGRESS"),
        line(8, "Role", "UPDATE_IN_PROGRESS", "Eventual consistency check initiated"),
    ]
    progress = progress_of(events, [], START + timedelta(seconds=10))
    assert progress.stage is Stage.DEPLOYING
    assert progress.in_state(ResourceState.RUNNING)[0].seconds == 9
    assert progress.percent is None  # a stranger's operation: nobody knows how much there is to do


def test_the_cleanup_is_a_stage_in_which_removed_resources_go() -> None:
    changes = [
        Change(action="Modify", logical_id="New", resource_type="AWS::SNS::Topic", replacement="True"),
        Change(action="Remove", logical_id="Old", resource_type="AWS::SNS::Topic"),
    ]
    events = [
        line(0, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(1, "New", "UPDATE_IN_PROGRESS"),
        line(2, "New", "UPDATE_COMPLETE"),
        line(3, "app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        line(4, "Old", "DELETE_IN_PROGRESS"),
    ]
    progress = progress_of(events, changes, START + timedelta(seconds=5))
    assert (progress.stage, progress.percent) == (Stage.CLEANING_UP, 50)
    assert stall_of(progress, now=START + timedelta(hours=2), stall_after_minutes=10) is None


def test_a_rollback_counts_what_has_been_taken_back() -> None:
    events = [
        *sequential(2, 2)[:-1],
        line(5, "Bad", "CREATE_FAILED", "AccessDenied"),
        line(5.1, "Other", "CREATE_FAILED", "Resource creation cancelled"),
        line(5.2, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Bad]."),
        line(6, "R0", "DELETE_IN_PROGRESS"),
        line(7, "R0", "DELETE_COMPLETE"),
    ]
    progress = progress_of(events, changes_of(events), START + timedelta(seconds=8))
    assert (progress.stage, progress.failed, progress.percent) == (Stage.ROLLING_BACK, 1, 25)
    assert len(progress.in_state(ResourceState.CANCELLED)) == 1


@recorded.needs_recordings
@pytest.mark.parametrize("own_only", [True, False])
def test_a_recorded_log_cut_at_any_event_is_a_deployment_in_flight(own_only: bool) -> None:
    for name in recorded.names(complete=True):
        events = recorded.events(name, own_only=own_only)
        changes = changes_of(events)
        for cut in range(0, len(events) + 1, 7):
            now = events[max(cut - 1, 0)].timestamp
            progress = progress_of(events[:cut], changes, now)
            assert progress.percent is None or 0 <= progress.percent <= 100
            assert 0.5 <= next_delay_seconds(progress, now=now) <= 15
            estimate = remaining(progress, now=now)
            assert estimate is None or 0 <= estimate.p50_seconds <= estimate.p90_seconds
            assert stall_of(progress, now=now, stall_after_minutes=10) is None


def test_throttled_reads_become_rarer() -> None:
    delays = [next_delay_seconds(at(5), now=START, failed_reads=failed) for failed in range(1, 9)]
    assert delays == sorted(delays)
    assert delays[-1] == 60
