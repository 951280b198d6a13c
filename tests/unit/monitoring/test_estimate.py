"""How long it will still take: by the stack's own history, by the types, by what this operation has shown."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.models.past_operation import PastOperation
from interlock.models.stack import Change, StackEvent
from interlock.monitoring.estimate import Estimate, of_whole, remaining
from interlock.monitoring.past import past_operation
from interlock.monitoring.progress import progress_of
from interlock.monitoring.schedule import NO_DEPENDENCIES, Dependencies
from tests.unit.monitoring.replay import START, changes_of, line, sequential

PARALLEL = [
    line(0, "app", "CREATE_IN_PROGRESS", "User Initiated"),
    line(1, "Db", "CREATE_IN_PROGRESS", kind="AWS::RDS::DBInstance"),
    line(1, "Topic", "CREATE_IN_PROGRESS"),
    line(11, "Topic", "CREATE_COMPLETE"),
    line(11.1, "Policy", "CREATE_IN_PROGRESS", kind="AWS::SNS::TopicPolicy"),
    line(31, "Policy", "CREATE_COMPLETE", kind="AWS::SNS::TopicPolicy"),
    line(301, "Db", "CREATE_COMPLETE", kind="AWS::RDS::DBInstance"),
    line(301.1, "App", "CREATE_IN_PROGRESS", kind="AWS::ECS::Service"),
    line(401, "App", "CREATE_COMPLETE", kind="AWS::ECS::Service"),
    line(402, "app", "CREATE_COMPLETE"),
]


def past(events: Sequence[StackEvent]) -> PastOperation:
    found = past_operation(events)
    assert found is not None
    return found


def left(
    events: Sequence[StackEvent],
    seconds: float,
    history: Sequence[PastOperation] = (),
    changes: Sequence[Change] | None = None,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> Estimate:
    now = START + timedelta(seconds=seconds)
    changes = changes_of(events) if changes is None else changes
    progress = progress_of([each for each in events if each.timestamp <= now], changes, now)
    found = remaining(progress, now=now, changes=changes, dependencies=dependencies, history=history)
    assert found is not None
    return found


@pytest.mark.parametrize("seconds", [0, 5, 50, 150, 320])
def test_the_same_operation_as_before_is_foretold_closely_along_its_dependencies(seconds: float) -> None:
    estimate = left(PARALLEL, seconds, [past(PARALLEL)] * 3)
    assert estimate.p50_seconds == pytest.approx(402 - seconds, rel=0.2)
    assert estimate.p50_seconds < estimate.p90_seconds < 2 * (402 - seconds)


def test_what_runs_beside_the_longest_chain_adds_nothing() -> None:
    without = [each for each in PARALLEL if each.logical_id not in ("Topic", "Policy")]
    estimates = [left(events, 5, [past(PARALLEL)]) for events in (PARALLEL, without)]
    assert estimates[0].p50_seconds == pytest.approx(estimates[1].p50_seconds, rel=0.02)


def test_without_history_the_types_and_the_changes_tell_and_the_range_is_wide() -> None:
    estimate = left(PARALLEL, 5)
    assert estimate.p50_seconds > 300  # a database is announced as running
    assert estimate.p90_seconds > 2 * estimate.p50_seconds
    assert left(sequential(2, 2), 0.06).p90_seconds < 200


def test_at_a_first_deployment_the_template_tells_what_runs_beside_what() -> None:
    events = [line(0, "app", "CREATE_IN_PROGRESS", "User Initiated"), line(3, "R0", "CREATE_IN_PROGRESS")]
    names = [f"R{number}" for number in range(16)]
    changes = [Change(action="Add", logical_id=name, resource_type="AWS::SNS::Topic") for name in names]
    chain = {name: names[max(0, number - 1) : number] for number, name in enumerate(names)}
    fan = {name: names[:1] if name != "R0" else [] for name in names}
    one_by_one, side_by_side, unknown = (
        left(events, 4, changes=changes, dependencies=each).p50_seconds for each in (chain, fan, NO_DEPENDENCIES)
    )
    assert one_by_one == pytest.approx(16 * 12, rel=0.1)
    assert side_by_side == pytest.approx(2 * 12, rel=0.1)
    assert side_by_side < unknown < one_by_one


def test_history_narrows_the_range() -> None:
    cold, warm = left(PARALLEL, 5), left(PARALLEL, 5, [past(PARALLEL)] * 4)
    assert warm.p90_seconds / warm.p50_seconds < cold.p90_seconds / cold.p50_seconds


def test_a_resource_of_a_type_that_the_stack_has_had_is_foretold_from_those() -> None:
    slow = past(sequential(200, 200, 200))
    estimate = left([line(0, "app", "UPDATE_IN_PROGRESS"), line(1, "New", "CREATE_IN_PROGRESS")], 2, [slow])
    assert estimate.p50_seconds > 100


def test_what_this_operation_has_shown_so_far_counts() -> None:
    events = sequential(*[60.0] * 6)
    assert left(events, 245).p50_seconds > 2 * left(sequential(*[5.0] * 6), 20.5).p50_seconds


NESTED, CUSTOM, UNKNOWN = "AWS::CloudFormation::Stack", "Custom::Thing", "Who::Knows::What"


def updating(*nested: str) -> list[StackEvent]:
    """Nested stacks that had nothing to do, and `nested` that are being updated."""
    names = ["A", "B", "C", *nested]
    begun = [line(1, name, "UPDATE_IN_PROGRESS", kind=NESTED) for name in names]
    done = [line(1.6, name, "UPDATE_COMPLETE", kind=NESTED) for name in names[:3]]
    return [line(0, "app", "UPDATE_IN_PROGRESS"), *begun, *done]


def test_a_nested_stack_that_waits_will_hardly_have_anything_to_do_but_one_that_runs_has() -> None:
    waits = Change(action="Modify", logical_id="D", resource_type=NESTED)
    assert left(updating(), 2, changes=[waits]).p50_seconds < left(updating(), 2).p50_seconds + 3
    assert left(updating("D"), 10).p50_seconds > left(updating(), 10).p50_seconds + 5


def test_nested_stacks_that_had_nothing_to_do_say_little_of_one_that_has() -> None:
    assert left(updating("D"), 20).p90_seconds > 90


def seen(*others: tuple[str, float]) -> float:
    """What a topic that begins is thought to take, after resources of these types and seconds."""
    events = [line(0, "app", "CREATE_IN_PROGRESS"), line(5000, "Last", "CREATE_IN_PROGRESS")]
    for number, (kind, seconds) in enumerate(others):
        events.append(line(1, f"R{number}", "CREATE_IN_PROGRESS", kind=kind))
        events.append(line(1 + seconds, f"R{number}", "CREATE_COMPLETE", kind=kind))
    return left(sorted(events, key=lambda each: each.timestamp), 5000).p50_seconds


def test_an_operation_whose_resources_are_all_slow_is_a_slow_one() -> None:
    quick = ("AWS::SQS::QueuePolicy", "AWS::SSM::Parameter", "AWS::ECR::Repository", "AWS::KMS::Alias")
    assert seen(*((kind, 600) for kind in quick)) > 3 * seen()


def test_each_type_speaks_once_and_one_that_may_take_anything_in_a_low_voice() -> None:
    assert seen(*[("AWS::IAM::Role", 90)] * 20) == pytest.approx(seen(("AWS::IAM::Role", 90)))
    slow, odd = seen(("AWS::IAM::Role", 18 * 10)), seen((CUSTOM, 20 * 10))
    assert seen() < odd < 1.5 * seen() < slow


def test_one_resource_that_hung_among_others_makes_nothing_slow() -> None:
    usual = [("AWS::IAM::Role", 18.0), ("AWS::S3::Bucket", 15.0)]
    assert seen(*usual, ("AWS::SQS::QueuePolicy", 4000.0)) == pytest.approx(seen(*usual), rel=0.1)


def test_a_type_that_the_table_does_not_know_is_taken_for_a_quick_one_of_which_nothing_is_sure() -> None:
    events = [line(0, "app", "CREATE_IN_PROGRESS"), line(1, "R0", "CREATE_IN_PROGRESS", kind=UNKNOWN)]
    estimate = left(events, 1)
    assert estimate.p50_seconds < 10
    assert estimate.p90_seconds > 5 * estimate.p50_seconds


def test_an_update_of_few_resources_is_not_taken_for_one_of_many() -> None:
    update = [line(0, "app", "UPDATE_IN_PROGRESS"), line(3, "Topic", "UPDATE_IN_PROGRESS")]
    assert left(update, 4, [past(PARALLEL)]).p50_seconds < 60


def test_removed_and_replaced_resources_go_at_the_end() -> None:
    events = [line(0, "app", "UPDATE_IN_PROGRESS"), line(1, "Db", "UPDATE_IN_PROGRESS", kind="AWS::RDS::DBInstance")]
    stays = Change(action="Modify", logical_id="Db", resource_type="AWS::RDS::DBInstance")
    goes = Change(action="Remove", logical_id="Old", resource_type="AWS::RDS::DBInstance")
    alone, with_removal = (left(events, 30, changes=changes) for changes in ([stays], [stays, goes]))
    assert with_removal.p50_seconds == pytest.approx(alone.p50_seconds + 0.4 * 600, rel=0.1)
    done = [*events, line(200, "Db", "UPDATE_COMPLETE", kind="AWS::RDS::DBInstance")]
    replaced = stays.model_copy(update={"replacement": "True"})
    assert left(done, 201, changes=[replaced]).p50_seconds > left(done, 201, changes=[stays]).p50_seconds + 60


def test_a_rollback_takes_what_its_removals_take() -> None:
    events = [
        *PARALLEL[:-1],
        line(401.5, "Other", "CREATE_IN_PROGRESS"),
        line(402, "Other", "CREATE_FAILED", "AccessDenied"),
    ]
    rolling = [*events, line(403, "app", "ROLLBACK_IN_PROGRESS"), line(404, "App", "DELETE_IN_PROGRESS")]
    gone = [*rolling, *(line(410, name, "DELETE_COMPLETE") for name in ("App", "Policy", "Topic", "Db"))]
    failing, turning, nearly = left(events, 402.1), left(rolling, 405), left(gone, 410)
    assert failing.p50_seconds == pytest.approx(turning.p50_seconds, rel=0.1)
    assert turning.p50_seconds > 100
    assert nearly.p50_seconds < 3


def test_once_all_is_done_only_the_stacks_own_last_line_is_missing() -> None:
    assert left(PARALLEL[:-1], 401.1).p50_seconds < 3


def test_an_ended_operation_and_one_of_which_nothing_is_known_have_no_estimate() -> None:
    assert remaining(progress_of(PARALLEL, [], START), now=START) is None
    assert remaining(progress_of([], [], START), now=START) is None


def test_an_operation_that_shows_nothing_yet_is_foretold_from_earlier_ones() -> None:
    found = remaining(progress_of([], [], START), now=START, history=[PastOperation(seconds=300)] * 4)
    assert found is not None
    assert found.p50_seconds == pytest.approx(300, rel=0.1)


def test_a_whole_deployment_is_a_guess_until_there_are_earlier_ones() -> None:
    guess, known = of_whole([]), of_whole([60.0] * 8)
    assert guess.p50_seconds == pytest.approx(120)
    assert guess.p90_seconds == pytest.approx(900)
    assert known.p50_seconds == pytest.approx(60, rel=0.1)
    assert known.p90_seconds < 120
    assert of_whole([60.0] * 8, elapsed_seconds=3600).p50_seconds > 600


_needed = st.lists(st.floats(0, 4000), min_size=1, max_size=8)
_kinds = st.lists(
    st.sampled_from(["AWS::SNS::Topic", "AWS::RDS::DBInstance", CUSTOM, UNKNOWN, NESTED]),
    min_size=1,
    max_size=4,
)


@given(_needed, _kinds, st.floats(0, 1.2), st.booleans())
def test_an_estimate_is_never_negative_and_its_range_never_turned(
    needed: list[float], kinds: list[str], share: float, has_history: bool
) -> None:
    events = sequential(*needed, kinds=kinds)
    unfinished = events[:-1]
    history = [past(events)] if has_history else []
    estimate = left(unfinished, share * sum(needed) + 0.1, history)
    assert 0 <= estimate.p50_seconds <= estimate.p90_seconds
    assert estimate.p90_seconds < 1e7


@given(_needed, st.floats(0.1, 3600), st.floats(0.1, 3600))
def test_while_nothing_happens_the_foretold_end_never_comes_nearer(
    needed: list[float], one: float, other: float
) -> None:
    events = [*sequential(*needed)[:-3], line(sum(needed) + 1, "Last", "CREATE_IN_PROGRESS")]
    sooner, later = (sum(needed) + 1 + each for each in sorted((one, other)))
    ends = [now + left(events, now).p50_seconds for now in (sooner, later)]
    assert ends[0] <= ends[1] + 0.01


@given(_needed, _kinds, st.data())
def test_a_resource_that_is_done_never_makes_what_is_left_more_by_orders_of_magnitude(
    needed: list[float], kinds: list[str], data: st.DataObject
) -> None:
    events = sequential(*needed, kinds=kinds)
    ends = [(each.timestamp - START).total_seconds() for each in events if each.status == "CREATE_COMPLETE"][:-1]
    end = data.draw(st.sampled_from(ends))
    before, after = left(events, end - 0.001), left(events, end)
    assert after.p50_seconds < 100 * (before.p50_seconds + 1)
    assert after.p90_seconds < 100 * (before.p90_seconds + 1)
