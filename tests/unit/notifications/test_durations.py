import pytest

from interlock.notifications.durations import duration, in_minutes, minutes, minutes_between


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (18, "18 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h 00 min"),
        (5430, "1 h 30 min"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_duration_in_minutes_has_both_forms() -> None:
    assert in_minutes(318) == "5.3 minutes (5 min 18 s)"


def test_one_minute_is_singular() -> None:
    assert [minutes(count) for count in (1, 1.5, 4)] == ["1 minute", "1.5 minutes", "4 minutes"]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (4, 7, "4 to 7 minutes"),
        (7, 4, "4 to 7 minutes"),
        (4, 4.2, "4 minutes"),
        (None, 5, "5 minutes"),
        (0, 0.2, "less than 1 minute"),
        (-3, 1, "0 to 1 minute"),
        (None, None, "unknown"),
    ],
)
def test_an_estimate_is_a_range(low: float | None, high: float | None, text: str) -> None:
    assert minutes_between(low, high) == text
