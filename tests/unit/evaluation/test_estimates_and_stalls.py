"""The chapters of `make evaluate` take logs of any shape, and count right on one whose answer is known."""

import pytest

from interlock.models.stack import StackEvent
from tests.evaluation import estimates, stalls
from tests.evaluation.operations import changes_of
from tests.evaluation.recordings import Recording
from tests.unit.monitoring.replay import line, sequential


def recording(name: str, *events: StackEvent, is_complete: bool = True) -> Recording:
    return Recording(name, "app", is_complete, events)


ROWS = ("ours, cold", "done over total")
FAILED = [
    line(0, "app", "CREATE_IN_PROGRESS", "User Initiated"),
    line(1, "Bad", "CREATE_IN_PROGRESS"),
    line(9, "Bad", "CREATE_FAILED", "AccessDenied"),
    line(10, "app", "ROLLBACK_IN_PROGRESS"),
    line(20, "app", "ROLLBACK_COMPLETE"),
]
ODD = [
    [],
    [line(0, "app", "CREATE_IN_PROGRESS")],
    [line(0, "app", "CREATE_COMPLETE")],
    [line(0, "R0", "CREATE_IN_PROGRESS"), line(5, "R0", "CREATE_COMPLETE")],
    [line(3, "app", "CREATE_COMPLETE"), line(0, "app", "CREATE_IN_PROGRESS")],
    [each.model_copy(update={"token": None}) for each in FAILED],
    [line(0, "app", "DELETE_IN_PROGRESS"), line(1, "R0", "DELETE_IN_PROGRESS"), line(9, "app", "DELETE_COMPLETE")],
]


@pytest.mark.parametrize("is_complete", [True, False])
def test_odd_logs_are_no_reason_to_fail(is_complete: bool) -> None:
    recordings = [recording(f"odd {number}", *events, is_complete=is_complete) for number, events in enumerate(ODD)]
    assert "ESTIMATES" in estimates.report(recordings)
    assert "STALLS" in stalls.report(recordings)
    assert "0 complete operations" in estimates.report([])
    assert "0 false alarms in 0 polls of 0 operations" in stalls.report([])


def test_only_complete_operations_are_cases_and_only_others_are_history() -> None:
    whole = recording("a", *sequential(30, 30))
    cut = recording("b", *sequential(30, 30)[:-1], is_complete=False)
    alone, twice = estimates.report([whole, cut]), estimates.report([whole, recording("c", *sequential(30, 30))])
    assert "1 complete operations" in alone
    assert "2 complete operations" in twice
    of_stack = [row for row in alone.splitlines() if row.startswith("  mean of the same stack")]
    assert of_stack[0].split()[-2:] == ["0", "3"]  # no case told, all three silent
    mean = next(row for row in twice.splitlines() if row.startswith("  mean of the same stack"))
    assert mean.split()[5] == "0%"  # the other one took as long, to the second


def test_each_kind_of_operation_has_a_table_of_its_own_and_a_bias_is_seen() -> None:
    report = estimates.report([recording("a", *sequential(12, 12)), recording("b", *FAILED)])
    tables = {table.splitlines()[0]: table.splitlines()[2:] for table in report.split("\n\n")[1:]}
    assert {"CREATE, succeeded", "CREATE, failed"} < set(tables)
    ours, naive = ({row[2:30].strip(): row for row in tables["CREATE, succeeded"]}[name].split() for name in ROWS)
    assert 0.5 < float(ours[-5]) < 2  # as the table of resources has it
    assert naive[-2:] == ["2", "1"]  # while nothing is done, it says nothing


def test_a_resource_that_stands_still_is_counted_with_the_seconds_until_it_is_told() -> None:
    report = stalls.report([recording("a", *sequential(900, 5))])
    assert "1 operations" in report
    assert "warning" in report
    alarms = int(report.split("As they were: ")[1].split()[0])
    assert alarms > 100  # a topic that takes a quarter of an hour is one false alarm after the other


def test_the_changes_are_those_that_the_log_shows() -> None:
    events = [
        line(0, "app", "UPDATE_IN_PROGRESS"),
        line(1, "New", "CREATE_IN_PROGRESS"),
        line(1, "Same", "UPDATE_IN_PROGRESS", "Requested update requires the creation of a new physical resource"),
        line(9, "Old", "DELETE_IN_PROGRESS"),
    ]
    assert [(each.logical_id, each.action, each.replacement) for each in changes_of(events)] == [
        ("New", "Add", None),
        ("Same", "Modify", "True"),
        ("Old", "Remove", None),
    ]
