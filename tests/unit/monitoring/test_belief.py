import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.monitoring.belief import P50, P90, Belief

seconds = st.floats(0, 1e6)
beliefs = st.builds(Belief, log_mean=st.floats(-1, 10), log_sd=st.floats(0.05, 2))


def test_what_is_believed_between_two_quantiles_has_them() -> None:
    belief = Belief.between(120, 900)
    assert belief.quantile(P50) == pytest.approx(120)
    assert belief.quantile(P90) == pytest.approx(900)


@given(beliefs, seconds)
def test_what_is_left_is_never_negative_and_the_range_never_turned(belief: Belief, elapsed: float) -> None:
    p50, p90 = (belief.left(q, elapsed_seconds=elapsed) for q in (P50, P90))
    assert 0 <= p50 <= p90
    assert math.isfinite(p90)


@given(beliefs, seconds, seconds)
def test_the_end_foretold_never_comes_nearer_by_waiting(belief: Belief, one: float, other: float) -> None:
    sooner, later = sorted((one, other))
    for q in (P50, P90):
        ends = [elapsed + belief.left(q, elapsed_seconds=elapsed) for elapsed in (sooner, later)]
        assert ends[0] <= ends[1] * (1 + 1e-6) + 1e-6


@given(beliefs, st.lists(st.floats(1, 1e4), min_size=1, max_size=9))
def test_observations_draw_what_is_believed_towards_them(belief: Belief, observed: list[float]) -> None:
    after = belief.learned(observed, noise=0.3).quantile(P50)
    assert min(belief.quantile(P50), *observed) * 0.999 <= after <= max(belief.quantile(P50), *observed) * 1.001


def test_more_observations_weigh_more() -> None:
    table = Belief.around(10, log_sd=0.8)
    likely = [table.learned([60] * count, noise=0.3).quantile(P50) for count in range(5)]
    assert likely == sorted(likely)
    assert likely[0] == pytest.approx(10)
    assert likely[1] > 40
    assert likely[4] == pytest.approx(60, rel=0.1)


def test_observations_that_differ_widen_the_range() -> None:
    table = Belief.around(60, log_sd=0.8)
    alike, unlike = (table.learned(each, noise=0.3) for each in ([60] * 5, [10, 20, 60, 200, 400]))
    assert alike.quantile(P90) < 100
    assert unlike.quantile(P90) > 200


def test_one_outlier_moves_little() -> None:
    table = Belief.around(60, log_sd=0.8)
    assert table.learned([60, 60, 60, 60, 3600], noise=0.3).quantile(P50) == pytest.approx(60, rel=0.05)
    assert table.learned([], noise=0.3) == table
