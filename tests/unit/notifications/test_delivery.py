from datetime import timedelta
from unittest.mock import ANY

import pytest

from interlock.models.notice import DeliveryState, NoticeKind
from interlock.notifications.audience import Audience
from interlock.notifications.delivery import Deliverer
from interlock.notifications.messages import render
from interlock.notifications.pace import Patience
from interlock.notifications.report import DeliveryReport
from tests.unit.notifications.catalogue import deployment
from tests.unit.notifications.kit import (
    CHANNEL,
    Clock,
    KilledError,
    MemorySlack,
    MortalRegistry,
    Trouble,
    deliver,
    notice,
)

ONE = deployment()
CID = ONE.correlation_id


class Room:
    """One deployment, its outbox and a Slack."""

    def __init__(self, *kinds: NoticeKind, troubles: tuple[Trouble, ...] = ()) -> None:
        self.clock = Clock()
        self.registry = MortalRegistry(self.clock, ONE)
        self.slack: MemorySlack | None = MemorySlack(self.clock, troubles)
        self.audience: Audience | None = Audience(CHANNEL)
        self.write(*kinds)

    def write(self, *kinds: NoticeKind) -> None:
        for kind in kinds:
            self.registry.write(CID, notice(kind))

    def deliver(self, owner: str = "flow", patience_seconds: float = 1000) -> DeliveryReport:
        return deliver(
            self.registry,
            self.slack,
            CID,
            self.clock,
            owner=owner,
            audience=self.audience,
            patience_seconds=patience_seconds,
        )

    @property
    def states(self) -> list[DeliveryState]:
        return [row.state for row in self.registry.outbox.rows(CID)]

    @property
    def titles(self) -> list[str]:
        assert self.slack is not None
        return [card.title.partition(" [")[0] for card in self.slack.told]


def test_the_first_notice_becomes_the_parent_and_the_next_a_reply_that_edits_it() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING)
    assert room.deliver() == DeliveryReport(delivered=2)
    assert room.slack is not None
    assert room.slack.calls == ["post", "update", "reply"]
    assert [card.title for card in room.slack.parents.values()] == ["Deployment In Progress"]
    assert [row.slack_ts for row in room.registry.outbox.rows(CID)] == [
        *room.slack.parents,
        f"{ONE.asked_at.timestamp() + 1:.0f}.000002",
    ]


def test_an_aside_leaves_the_parent_alone() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.STALLED, NoticeKind.MONITOR_GAP)
    room.deliver()
    assert room.slack is not None
    assert [card.title for card in room.slack.parents.values()] == ["Deployment May Be Stalled"]
    assert room.titles == ["Stall warning", "Monitoring gap"]


def test_an_aside_that_comes_first_gets_a_parent_by_the_records_status() -> None:
    room = Room(NoticeKind.DEGRADED)
    room.deliver()
    assert room.slack is not None
    assert [card.title for card in room.slack.parents.values()] == ["Deployment Started"]
    assert room.titles == ["Reduced coordination"]


def test_a_failure_is_shown_in_the_channel_too() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.FAILED)
    room.deliver()
    assert room.slack is not None
    assert room.slack.calls == ["post", "update", "broadcast"]


def test_progress_is_skipped_when_something_later_is_written() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.PROGRESS, NoticeKind.PROGRESS, NoticeKind.SUCCEEDED)
    assert room.deliver() == DeliveryReport(delivered=2, skipped=2)
    assert room.states == ["delivered", "skipped", "skipped", "delivered"]


def test_the_latest_progress_edits_the_parent_only() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.PROGRESS)
    room.deliver()
    assert room.slack is not None
    assert room.slack.calls == ["post", "update"]


@pytest.mark.parametrize("missing", ["slack", "audience"])
def test_without_slack_the_notices_are_kept(missing: str) -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.SUCCEEDED)
    setattr(room, missing, None)
    assert room.deliver() == DeliveryReport(kept=2)
    assert room.states == ["kept", "kept"]


def test_nothing_to_send_touches_no_lease() -> None:
    room = Room()
    looks: list[str] = []
    room.registry.store.meanwhile = lambda: looks.append("look")
    assert room.deliver() == DeliveryReport()
    assert len(looks) == 1


def test_a_failure_stops_the_deployments_delivery_and_leaves_its_reason() -> None:
    room = Room(
        NoticeKind.STARTED,
        NoticeKind.DEPLOYING,
        NoticeKind.SUCCEEDED,
        troubles=(Trouble.NONE, Trouble.HTTP_500),
    )
    report = room.deliver()
    assert report.delivered == 1
    assert report.unavailable == (f"Slack: http_500. [{CID}]",)
    assert room.states == ["delivered", "waiting", "waiting"]
    row = room.registry.outbox.rows(CID)[1]
    assert (row.attempts, row.last_error) == (1, "Slack: http_500.")
    assert room.deliver() == DeliveryReport(delivered=2)
    assert room.titles == ["Its turn: deploying", "Deployment Complete"]


def test_retry_after_is_waited_out_by_whoever_delivers() -> None:
    room = Room(NoticeKind.STARTED, troubles=(Trouble.RATE_LIMITED,))
    assert room.deliver().retry_after_seconds == 30
    room.clock.advance(20)
    assert room.deliver("flow") == room.deliver("sweep") == DeliveryReport(busy=1, retry_after_seconds=10)
    room.clock.advance(10)
    assert room.deliver("sweep") == DeliveryReport(delivered=1)


def test_a_refused_message_is_parked_and_reported_once() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.SUCCEEDED, troubles=(Trouble.REFUSED,) * 3)
    report = room.deliver()
    assert report.parked == 2
    assert report.refusals == (f"Slack refused: channel_not_found. [{CID}]",)
    room.write(NoticeKind.MONITOR_GAP)
    assert room.deliver() == DeliveryReport(parked=1)
    assert room.states == ["parked", "parked", "parked"]


@pytest.mark.parametrize("gives_no_links", [False, True])
def test_the_thread_s_link_is_kept_and_one_that_cannot_be_had_delays_nothing(*, gives_no_links: bool) -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.SUCCEEDED)
    assert room.slack is not None
    room.slack.gives_no_links = gives_no_links
    assert room.deliver() == DeliveryReport(delivered=2)
    thread = room.registry.outbox.thread(CID)
    assert thread is not None
    assert (thread.url is None) == gives_no_links


def test_a_deleted_parent_is_made_anew() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING, troubles=(Trouble.NONE, Trouble.GONE))
    assert room.deliver() == DeliveryReport(delivered=2)
    assert room.slack is not None
    assert room.slack.calls == ["post", "update", "post", "reply"]
    thread = room.registry.outbox.thread(CID)
    assert thread is not None
    assert thread.parent_ts == list(room.slack.parents)[-1]


def test_a_parent_found_deleted_by_a_reply_is_made_anew() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.MONITOR_GAP, troubles=(Trouble.NONE, Trouble.GONE))
    assert room.deliver() == DeliveryReport(delivered=2)
    assert room.slack is not None
    assert room.slack.calls == ["post", "reply", "post", "reply"]


def called(room: Room) -> list[tuple[str, ...]]:
    """Whom each parent calls, as it stands, and then each reply."""
    assert room.slack is not None
    return [card.mentions for card in (*room.slack.parents.values(), *room.slack.told)]


def test_a_failure_calls_people_by_its_new_message_and_shows_them_in_the_parent() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING)
    room.audience = Audience(CHANNEL, ("<@U012ABCDEF>",))
    room.deliver()
    assert called(room) == [(), ()]
    room.write(NoticeKind.FAILED)
    room.deliver()
    assert called(room) == [("<@U012ABCDEF>",), (), ("<@U012ABCDEF>",)]


def test_a_failure_that_makes_the_parent_calls_people_once() -> None:
    room = Room(NoticeKind.FAILED)
    room.audience = Audience(CHANNEL, ("<@U012ABCDEF>",))
    room.deliver()
    assert called(room) == [("<@U012ABCDEF>",), ()]


def test_two_threads_of_one_run_are_two_deliverers() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING)
    assert room.slack is not None
    inner: list[DeliveryReport] = []
    room.slack.meanwhile = lambda: inner.append(room.deliver())
    room.deliver()
    assert inner == [DeliveryReport(busy=1)] * 3


def test_a_notice_written_while_another_deliverer_sends_is_not_left_behind() -> None:
    room = Room(NoticeKind.STARTED)
    assert room.slack is not None

    def write_and_find_the_lease_taken() -> None:
        if len(room.states) == 1:
            room.write(NoticeKind.SUCCEEDED)
            assert room.deliver("other").busy == 1

    room.slack.meanwhile = write_and_find_the_lease_taken
    assert room.deliver() == DeliveryReport(delivered=2)


def test_a_killed_deliverers_lease_runs_out() -> None:
    room = Room(NoticeKind.STARTED, troubles=(Trouble.KILLED_BEFORE,))
    assert room.slack is not None
    room.slack.on_kill = lambda: setattr(room.registry.store, "is_dead", True)
    with pytest.raises(KilledError):
        room.deliver()
    room.registry.store.is_dead = False
    assert room.deliver("sweep") == DeliveryReport(busy=1)
    room.clock.advance(60)
    assert room.deliver("sweep") == DeliveryReport(delivered=1)


def test_a_long_delivery_keeps_its_lease() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.STALLED, NoticeKind.SUCCEEDED)
    assert room.slack is not None
    others: list[DeliveryReport] = []

    def be_slow() -> None:
        room.clock.advance(12)
        others.append(room.deliver("other"))

    room.slack.meanwhile = be_slow
    assert room.deliver() == DeliveryReport(delivered=4)
    assert set(others) == {DeliveryReport(busy=1)}


def test_a_deliverer_that_slept_too_long_leaves_the_rest_to_the_other() -> None:
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.SUCCEEDED)
    assert room.slack is not None

    def sleep_while_another_takes_over() -> None:
        room.clock.advance(61)
        room.registry.leases.acquire(f"notify:{CID}", "other", lifetime_seconds=60)

    room.slack.meanwhile = sleep_while_another_takes_over
    assert room.deliver() == DeliveryReport(delivered=1, busy=1)
    assert room.slack.calls == ["post"]


def test_killed_before_the_summary_the_next_deliverer_sends_only_that() -> None:
    troubles = (Trouble.NONE,) * 3 + (Trouble.KILLED_BEFORE,)
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING, troubles=troubles)
    assert room.slack is not None
    room.slack.on_kill = lambda: setattr(room.registry.store, "is_dead", True)
    room.clock.advance(600)
    with pytest.raises(KilledError):
        room.deliver()
    room.registry.store.is_dead = False
    room.clock.advance(61)
    assert room.deliver() == DeliveryReport(delivered=1)
    assert room.titles == ["Its turn: deploying", "Slack is back"]


def test_one_summary_follows_an_outage() -> None:
    room = Room(NoticeKind.STARTED)
    room.deliver()
    room.write(NoticeKind.DEPLOYING, NoticeKind.PROGRESS, NoticeKind.STALLED)
    room.clock.advance(timedelta(minutes=23).total_seconds())
    room.write(NoticeKind.SUCCEEDED)
    room.deliver()
    assert room.titles == ["Its turn: deploying", "Stall warning", "Slack is back", "Deployment Complete"]
    assert room.slack is not None
    said, when = room.slack.told[2].body
    assert str(said).startswith(
        "Slack could not be reached for about 23 minutes: 2 messages about this deployment came late."
    )
    assert "1 progress update was out of date and left out." in said
    then = f"{ONE.asked_at:%Y-%m-%d %H:%M:%S} UTC"
    assert when == f"When it happened:\n• {then}: Its turn: deploying\n• {then}: Stall warning"


def test_a_summary_counts_what_an_interrupted_delivery_had_sent_already() -> None:
    troubles = (Trouble.NONE,) * 3 + (Trouble.RATE_LIMITED,)
    room = Room(NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.STALLED, troubles=troubles)
    room.clock.advance(600)
    room.deliver()
    room.clock.advance(30)
    room.deliver()
    assert room.titles == ["Its turn: deploying", "Stall warning", "Slack is back"]
    assert room.slack is not None
    assert "3 messages" in str(room.slack.told[2].body)


def test_a_summary_that_fails_is_sent_later_without_repeating_its_message() -> None:
    room = Room(NoticeKind.STARTED, troubles=(Trouble.NONE, Trouble.HTTP_500))
    room.clock.advance(600)
    assert not room.deliver().is_complete
    assert room.deliver() == DeliveryReport(delivered=1)
    assert room.slack is not None
    assert room.slack.calls == ["post", "reply", "reply"]
    assert room.titles == ["Slack is back"]


def test_a_refused_summary_does_not_undo_its_message() -> None:
    room = Room(NoticeKind.STARTED, troubles=(Trouble.NONE, Trouble.REFUSED))
    room.clock.advance(600)
    assert room.deliver() == DeliveryReport(delivered=1)
    assert room.states == ["delivered"]


def deliver_all(
    registry: MortalRegistry, slack: MemorySlack, clock: Clock, patience_seconds: float = 1000
) -> DeliveryReport:
    deliverer = Deliverer(registry, slack, owner="sweep", clock=clock, audience_of=lambda _: Audience(CHANNEL))
    return deliverer.deliver_all(Patience(patience_seconds, clock.advance))


def many(count: int, troubles: tuple[Trouble, ...]) -> tuple[MortalRegistry, MemorySlack, DeliveryReport]:
    clock = Clock()
    ones = [deployment(correlation_id=f"20260302-140500-0000000{number}") for number in range(count)]
    registry, slack = MortalRegistry(clock, *ones), MemorySlack(clock, troubles)
    for one in ones:
        registry.write(one.correlation_id, notice())
    return registry, slack, deliver_all(registry, slack, clock)


def test_one_deployments_trouble_does_not_hold_up_the_others() -> None:
    _, slack, report = many(4, (Trouble.HTTP_500, Trouble.REFUSED))
    assert (report.delivered, report.parked, len(report.unavailable)) == (2, 1, 1)
    assert len(slack.calls) == 4


def test_a_slack_that_is_away_is_left_alone_after_three_deployments() -> None:
    registry, slack, report = many(5, (Trouble.TIMEOUT,) * 9)
    assert len(slack.calls) == len(report.unavailable) == 3
    assert len(registry.outbox.undelivered()) == 5


def test_a_slack_that_asks_to_wait_is_left_alone_at_once() -> None:
    _, slack, report = many(5, (Trouble.RATE_LIMITED,))
    assert len(slack.calls) == 1
    assert report.retry_after_seconds == 30


def test_rows_without_a_record_do_not_hold_up_the_others() -> None:
    clock = Clock()
    ones = [deployment(), deployment(correlation_id="20260302-140500-00000001")]
    registry, slack = MortalRegistry(clock, *ones), MemorySlack(clock)
    for one in ones:
        registry.write(one.correlation_id, notice())
    registry.forget(CID)
    assert deliver_all(registry, slack, clock) == DeliveryReport(delivered=1, parked=1, refusals=(ANY,))
    assert deliver_all(registry, slack, clock) == DeliveryReport()


def test_messages_are_rendered_from_the_record_and_the_notice() -> None:
    room = Room(NoticeKind.STARTED)
    room.deliver()
    assert room.slack is not None
    assert list(room.slack.parents.values()) == [render(ONE, notice()).parent]
