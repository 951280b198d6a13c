"""A run's last message: waited for while it may still be sent in time, and no longer."""

from collections.abc import Iterator

import pytest

from interlock.notifications.report import DeliveryReport
from tasks import notify

BUSY = DeliveryReport(busy=1)
SENT = DeliveryReport(delivered=1)


class Seconds:
    """Time that passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    seconds = Seconds()
    monkeypatch.setattr(notify, "time", seconds)
    return seconds


def deliveries(monkeypatch: pytest.MonkeyPatch, *reports: DeliveryReport) -> Iterator[DeliveryReport]:
    """The last one is repeated; what has not been asked for is left in the answer."""
    coming = iter(reports)
    monkeypatch.setattr(notify, "deliver_for", lambda _: next(coming, reports[-1]))
    return coming


def test_another_thread_of_the_run_that_is_still_sending_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, time: Seconds
) -> None:
    deliveries(monkeypatch, BUSY, BUSY, SENT)
    assert notify.deliver_at_last("id") == SENT
    assert time.now == 0.5


def test_a_short_silence_is_waited_out(monkeypatch: pytest.MonkeyPatch, time: Seconds) -> None:
    deliveries(monkeypatch, DeliveryReport(unavailable=("wait",), retry_after_seconds=2), SENT)
    assert notify.deliver_at_last("id") == SENT
    assert time.now < 1


@pytest.mark.parametrize(
    "report",
    [
        DeliveryReport(unavailable=("down",)),
        DeliveryReport(busy=1, retry_after_seconds=30),
        SENT,
        DeliveryReport(parked=1),
    ],
)
def test_what_cannot_be_sent_in_time_holds_up_no_run(
    monkeypatch: pytest.MonkeyPatch, time: Seconds, report: DeliveryReport
) -> None:
    left = deliveries(monkeypatch, report, SENT)
    assert notify.deliver_at_last("id") == report
    assert (time.now, list(left)) == (0, [SENT])


def test_a_channel_that_stays_busy_is_left_to_the_schedule_after_five_seconds(
    monkeypatch: pytest.MonkeyPatch, time: Seconds
) -> None:
    deliveries(monkeypatch, BUSY)
    assert notify.deliver_at_last("id") == BUSY
    assert time.now == 5
