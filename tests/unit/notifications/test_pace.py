"""One message a second in a channel, and silence while Slack asked for it, whoever delivers. `MemorySlack` insists on both."""

from datetime import timedelta

import pytest

from interlock.models.notice import DeliveryState, NoticeKind
from interlock.notifications.audience import Audience
from interlock.notifications.delivery import Deliverer
from interlock.notifications.pace import Patience
from interlock.notifications.report import DeliveryReport
from tests.unit.notifications.catalogue import deployment
from tests.unit.notifications.kit import CHANNEL, Clock, KilledError, MemorySlack, MortalRegistry, Trouble, notice

STORY = (NoticeKind.STARTED, NoticeKind.STALLED, NoticeKind.SUCCEEDED)


class Room:
    """Some deployments, each with a deliverer of its own; they share the channel unless it is told otherwise."""

    def __init__(
        self, count: int = 2, *, story: tuple[NoticeKind, ...] = STORY, troubles: tuple[Trouble, ...] = ()
    ) -> None:
        self.clock = Clock()
        self.ones = [
            deployment(correlation_id=f"20260302-140500-0000000{number}", environment=f"env-{number}")
            for number in range(count)
        ]
        self.registry = MortalRegistry(self.clock, *self.ones)
        self.channels: dict[str, str] = {}
        self.slack = MemorySlack(self.clock, troubles)
        self.waits: list[float] = []
        for one in self.ones:
            self.registry.write(one.correlation_id, *map(notice, story))

    def deliver(self, number: int, patience_seconds: float = 1000) -> DeliveryReport:
        return self._deliverer().deliver(self.ones[number].correlation_id, self._patience(patience_seconds))

    def deliver_all(self, patience_seconds: float = 1000) -> DeliveryReport:
        return self._deliverer().deliver_all(self._patience(patience_seconds))

    def states(self, number: int) -> list[DeliveryState]:
        return [row.state for row in self.registry.outbox.rows(self.ones[number].correlation_id)]

    def _deliverer(self) -> Deliverer:
        return Deliverer(self.registry, self.slack, owner="run", clock=self.clock, audience_of=self._audience)

    def _audience(self, environment: str) -> Audience:
        return Audience(self.channels.get(environment, CHANNEL))

    def _patience(self, seconds: float) -> Patience:
        return Patience(seconds, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.advance(seconds)


def test_the_messages_of_a_channel_are_a_second_apart_whoever_sends_them() -> None:
    room = Room()
    began = room.clock()
    assert room.deliver(0).delivered == room.deliver(1).delivered == 3
    assert room.clock() - began == timedelta(seconds=5)
    assert room.waits == [1] * 5


def test_a_channel_is_the_same_with_and_without_its_hash() -> None:
    room = Room(story=(NoticeKind.STARTED,))
    room.channels = {"env-1": CHANNEL.removeprefix("#")}
    room.deliver_all()
    assert room.waits == [1]


def test_another_channel_has_its_own_turns() -> None:
    room = Room(story=(NoticeKind.STARTED,))
    room.channels = {"env-1": "#elsewhere"}
    assert room.deliver_all().delivered == 2
    assert room.waits == []


def test_what_patience_does_not_suffice_for_is_left_to_a_later_delivery_and_is_no_failed_attempt() -> None:
    room = Room(1)
    assert room.deliver(0, patience_seconds=1.5) == DeliveryReport(delivered=2, busy=1)
    assert room.states(0) == ["delivered", "delivered", "waiting"]
    assert room.registry.outbox.rows(room.ones[0].correlation_id)[-1].attempts == 0
    assert room.deliver(0) == DeliveryReport(delivered=1)


def test_a_pass_over_many_deployments_waits_no_longer_than_its_patience() -> None:
    room = Room(9, story=(NoticeKind.STARTED,))
    assert room.deliver_all(patience_seconds=4).delivered == 5
    assert sum(room.waits) == 4
    room.clock.advance(1)
    assert room.deliver_all().delivered == 4


def test_progress_is_worth_one_edit_and_no_message() -> None:
    room = Room(1, story=(NoticeKind.STARTED, *[NoticeKind.PROGRESS] * 9))
    assert room.deliver(0) == DeliveryReport(delivered=2, skipped=8)
    assert room.slack.calls == ["post", "update"]


def test_a_backlog_edits_the_parent_once() -> None:
    room = Room(1, story=(NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.PROGRESS, NoticeKind.SUCCEEDED))
    room.deliver(0)
    assert room.slack.calls == ["post", "reply", "update", "reply"]


def test_slack_is_left_alone_by_all_deployments_for_as_long_as_it_asks() -> None:
    room = Room(troubles=(Trouble.RATE_LIMITED,))
    assert room.deliver(0).retry_after_seconds == 30
    room.clock.advance(10)
    assert room.deliver(1) == DeliveryReport(busy=1, retry_after_seconds=20)
    assert room.deliver_all() == DeliveryReport(busy=1, retry_after_seconds=20)
    assert len(room.slack.calls) == 1
    room.clock.advance(20)
    assert room.deliver_all().delivered == 6


def test_an_edit_waits_for_the_end_of_the_silence_too() -> None:
    room = Room(2, story=(NoticeKind.STARTED,), troubles=(Trouble.NONE, Trouble.RATE_LIMITED))
    room.deliver(0)
    room.deliver(1)
    room.registry.write(room.ones[0].correlation_id, notice(NoticeKind.PROGRESS))
    assert room.deliver(0) == DeliveryReport(busy=1, retry_after_seconds=30)


def test_the_last_seconds_of_a_silence_are_waited_out() -> None:
    room = Room(1, story=(NoticeKind.STARTED,), troubles=(Trouble.RATE_LIMITED,))
    room.deliver(0)
    room.clock.advance(27)
    assert room.deliver(0, patience_seconds=5) == DeliveryReport(delivered=1)
    assert room.waits == [3]


def test_a_deliverer_that_died_in_its_turn_holds_up_the_channel_for_ten_seconds() -> None:
    room = Room(troubles=(Trouble.KILLED_AFTER,))
    room.slack.on_kill = lambda: setattr(room.registry.store, "is_dead", True)
    with pytest.raises(KilledError):
        room.deliver(0)
    room.registry.store.is_dead = False
    assert room.deliver(1, patience_seconds=5).busy == 1
    room.clock.advance(5)
    assert room.deliver(1, patience_seconds=5).delivered == 3
