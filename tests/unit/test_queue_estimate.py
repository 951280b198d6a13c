"""When will it be my turn."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.models.deployment import Deployment
from interlock.queue_estimate import expected_wait
from tests.unit.registry.kit import NOON, deployment


def took(seconds: float, *, no_changes: bool = False) -> Deployment:
    times = {"deploying_since": NOON, "finished_at": NOON + timedelta(seconds=seconds), "no_changes": no_changes}
    return deployment().model_copy(update=times)


def holder(**facts: object) -> Deployment:
    return deployment(2).model_copy(update=facts)


HISTORY = [took(300) for _ in range(6)]


def test_nobody_ahead_is_no_wait() -> None:
    wait = expected_wait(None, HISTORY, ahead=0, now=NOON)
    assert (wait.p50_seconds, wait.p90_seconds) == (0, 0)


def test_the_holders_monitor_knows_best() -> None:
    facts = {"likely_finish": NOON + timedelta(seconds=40), "late_finish": NOON + timedelta(seconds=70)}
    wait = expected_wait(holder(**facts), HISTORY, ahead=0, now=NOON)
    assert wait.p50_seconds == 40
    assert wait.p90_seconds == pytest.approx(70)
    late = expected_wait(holder(**facts), HISTORY, ahead=0, now=NOON + timedelta(seconds=100))
    assert (late.p50_seconds, late.p90_seconds) == (0, 0)


def test_before_its_monitor_has_seen_anything_the_earlier_deployments_tell() -> None:
    wait = expected_wait(holder(deploying_since=NOON), HISTORY, ahead=0, now=NOON + timedelta(seconds=100))
    assert wait.p50_seconds == pytest.approx(200, rel=0.2)


def test_each_request_ahead_adds_a_deployment_and_lateness_does_not_add_up_fully() -> None:
    one, four = (expected_wait(None, HISTORY, ahead=ahead, now=NOON) for ahead in (1, 4))
    assert four.p50_seconds == pytest.approx(4 * one.p50_seconds)
    margins = [each.p90_seconds - each.p50_seconds for each in (one, four)]
    assert margins[1] == pytest.approx(2 * margins[0])


def test_a_strangers_operation_has_to_end_first() -> None:
    wait = expected_wait(None, HISTORY, ahead=0, now=NOON, stranger_since=NOON - timedelta(seconds=100))
    assert wait.p50_seconds == pytest.approx(200, rel=0.2)


def test_deployments_without_changes_say_nothing() -> None:
    quick = [took(3, no_changes=True) for _ in range(9)]
    assert expected_wait(None, quick, ahead=1, now=NOON).p50_seconds == pytest.approx(120)


@given(st.lists(st.floats(0.1, 1e5), max_size=10), st.integers(0, 20), st.floats(-100, 1e5))
def test_the_range_is_never_negative_nor_turned_and_grows_with_the_queue(
    durations: list[float], ahead: int, elapsed: float
) -> None:
    now, history = NOON + timedelta(seconds=elapsed), [took(each) for each in durations]
    shorter, longer = (
        expected_wait(holder(deploying_since=NOON), history, ahead=count, now=now) for count in (ahead, ahead + 1)
    )
    assert 0 <= shorter.p50_seconds <= shorter.p90_seconds
    assert shorter.p50_seconds <= longer.p50_seconds
    assert shorter.p90_seconds <= longer.p90_seconds
