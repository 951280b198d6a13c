from hypothesis import given
from hypothesis import strategies as st

from interlock.models.past_operation import PastOperation, PastResource
from interlock.monitoring.schedule import Work, longest_path, needs_in

A, B, C, D = (Work(name, "CREATE") for name in "ABCD")


def past(*spans: tuple[str, float, float]) -> PastOperation:
    resources = (
        PastResource(logical_id=name, resource_type="T", action="CREATE", start_seconds=start, seconds=end - start)
        for name, start, end in spans
    )
    return PastOperation(kind="CREATE", seconds=100, resources=tuple(resources))


def test_what_began_when_another_ended_waited_for_it() -> None:
    needs = needs_in({}, [past(("A", 0, 10), ("B", 0, 30), ("C", 10.3, 20), ("D", 30.2, 40))], [A, B, C, D])
    assert needs == {A: [], B: [], C: [A], D: [B]}


def test_of_several_operations_the_one_with_most_in_common_tells_and_of_equal_ones_the_newest() -> None:
    newest, alike, oldest = past(("X", 0, 1)), past(("A", 0, 1), ("B", 1, 2)), past(("B", 0, 1), ("A", 1, 2))
    assert needs_in({}, [newest, alike, oldest], [A, B]) == {A: [], B: [A]}


def test_the_longest_chain_counts_and_not_the_sum() -> None:
    needs = {A: [], B: [], C: [A], D: [B]}
    assert longest_path({A: 5, B: 20}, {C: 10, D: 1}, needs, at_once=1) == 21
    assert longest_path({A: 15}, {C: 10}, needs, at_once=1) == 25


def test_what_is_done_or_no_part_of_the_operation_takes_nothing() -> None:
    assert longest_path({}, {C: 10}, {C: [A], A: []}, at_once=1) == 10


def test_what_nothing_is_known_of_begins_after_something_and_shares_the_time() -> None:
    assert longest_path({A: 5, B: 20}, {C: 10}, {}, at_once=2) == 20
    assert longest_path({A: 5, B: 20}, {C: 30}, {}, at_once=2) == 35
    assert longest_path({}, {A: 10, B: 10, C: 10, D: 10}, {}, at_once=2) == 20
    assert longest_path({}, {}, {}, at_once=1) == 0


def test_a_template_tells_it_better_also_through_what_does_not_change_and_backwards_for_removals() -> None:
    template = {"A": [], "B": ["A"], "C": ["B"], "D": []}
    misleading = [past(("C", 0, 1), ("A", 1, 2))]
    needs = needs_in(template, misleading, [A, C])
    assert longest_path({}, {A: 10, C: 5}, needs, at_once=1) == 15
    gone = {Work(name, "DELETE"): 10.0 for name in "ABCD"}
    backwards = needs_in(template, misleading, gone)
    assert backwards[Work("A", "DELETE")] == {Work("B", "DELETE")}
    assert longest_path({}, gone, backwards, at_once=1) == 30


def test_a_template_that_lacks_a_resource_or_runs_in_circles_is_not_believed() -> None:
    shown = [past(("A", 0, 1), ("B", 1, 2))]
    assert needs_in({"A": ["B"]}, shown, [A, B]) == {A: [], B: [A]}
    assert needs_in({"A": ["B"], "B": ["A"]}, shown, [A, B]) == {}


_spans = st.lists(st.tuples(st.sampled_from("ABCDEFGH"), st.floats(0, 50), st.floats(0, 50)), max_size=20)


@given(_spans)
def test_any_past_operation_has_chains_that_end_and_no_longer_than_all_its_work(
    spans: list[tuple[str, float, float]],
) -> None:
    operation = past(*((name, start, start + seconds) for name, start, seconds in spans))
    waiting = {Work(name, "CREATE"): 1.0 for name, _, _ in spans}
    needs = needs_in({}, [operation], waiting)
    assert 0 <= longest_path({}, waiting, needs, at_once=1) <= len(waiting)
