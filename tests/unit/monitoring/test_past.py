import json
from datetime import timedelta
from pathlib import Path

import pytest

from interlock.models.past_operation import PastOperation
from interlock.models.stack import StackEvent
from interlock.monitoring.past import MOST_RESOURCES, past_operation, past_operations
from interlock.registry import open_registry
from interlock.registry.values import attributes_of
from tests.unit.monitoring.replay import line, sequential
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, deployment, enqueue


def past(*events: StackEvent) -> PastOperation:
    found = past_operation(events)
    assert found is not None
    return found


def test_it_keeps_what_was_done_to_each_resource_when_and_for_how_long() -> None:
    found = past(*sequential(2, 30))
    assert found.kind == "CREATE"
    assert found.seconds == pytest.approx(32.07)
    assert [(each.logical_id, each.action, each.start_seconds, each.seconds) for each in found.resources] == [
        ("R1", "CREATE", 2.0, 30.0),
        ("R0", "CREATE", 0.0, 2.0),
    ]
    assert found.end_seconds == pytest.approx(0.04, abs=0.1)


def test_an_operation_under_way_leaves_nothing_yet() -> None:
    assert past_operation(sequential(2, 30)[:-1]) is None
    assert past_operation([]) is None


def test_what_failed_says_nothing_of_how_long_it_takes_and_what_was_turned_back_does() -> None:
    found = past(
        line(0, "app", "CREATE_IN_PROGRESS", "User Initiated"),
        line(1, "Good", "CREATE_IN_PROGRESS"),
        line(1, "Bad", "CREATE_IN_PROGRESS"),
        line(5, "Good", "CREATE_COMPLETE"),
        line(6, "Bad", "CREATE_FAILED", "AccessDenied"),
        line(7, "app", "ROLLBACK_IN_PROGRESS"),
        line(8, "Good", "DELETE_IN_PROGRESS"),
        line(10, "Good", "DELETE_COMPLETE"),
        line(11, "app", "ROLLBACK_COMPLETE"),
    )
    assert {(each.logical_id, each.action, each.seconds) for each in found.resources} == {
        ("Good", "CREATE", 4),
        ("Good", "DELETE", 2),
    }
    assert found.end_seconds is None


def test_repeated_lines_start_nothing_anew() -> None:
    found = past(
        line(0, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(1, "Role", "UPDATE_IN_PROGRESS"),
        line(8, "Role", "UPDATE_IN_PROGRESS", "Eventual consistency check initiated"),
        line(9, "Role", "UPDATE_COMPLETE"),
        line(10, "app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        line(11, "Role", "UPDATE_COMPLETE"),
        line(12, "app", "UPDATE_COMPLETE"),
    )
    assert [each.seconds for each in found.resources] == [8]


def test_the_largest_stack_fits_into_an_item() -> None:
    name = "R" * 250
    events = [line(0, "app", "UPDATE_IN_PROGRESS")]
    for number in range(500):
        for action, start in (("UPDATE", 1), ("DELETE", 2000)):
            events += [
                line(start, f"{name}{number}", f"{action}_IN_PROGRESS"),
                line(start + number, f"{name}{number}", f"{action}_COMPLETE"),
            ]
    found = past(*events, line(4000, "app", "UPDATE_COMPLETE"))
    assert len(found.resources) == MOST_RESOURCES
    assert min(each.seconds for each in found.resources) >= 400
    assert len(json.dumps(attributes_of(found))) < 200_000


def test_the_registry_gives_it_back_and_of_an_older_record_the_duration(tmp_path: Path) -> None:
    clock = FrozenClock()
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    found = past(*sequential(2, 30))
    enqueue(registry, 1)
    registry.deployments.record(cid(1), changes={"operation": found})
    older = deployment(2).model_copy(
        update={"deploying_since": clock(), "finished_at": clock() + timedelta(seconds=90), "operation": None}
    )
    no_changes = older.model_copy(update={"no_changes": True})
    waiting = deployment(3)
    read = registry.deployments.history(ENVIRONMENT)
    assert past_operations([*read, older, no_changes, waiting]) == (found, PastOperation(seconds=90))
