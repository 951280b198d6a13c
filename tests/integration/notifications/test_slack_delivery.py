"""The outbox of a real registry (SQLite), delivered to a real HTTP endpoint with the real Slack library."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from interlock.models.deployment import Deployment
from interlock.models.notice import DeliveryState, Notice, NoticeKind
from interlock.notifications.audience import Audience
from interlock.notifications.delivery import Deliverer
from interlock.notifications.pace import Patience
from interlock.notifications.report import DeliveryReport
from interlock.notifications.slack import Slack
from interlock.registry import Registry, open_registry
from interlock.rehearsal.slack.process import RehearsalSlack
from tests.unit.notifications.catalogue import deployment, notices
from tests.unit.notifications.kit import Clock

WHOLE = [
    NoticeKind.STARTED,
    NoticeKind.QUEUED,
    NoticeKind.DEPLOYING,
    NoticeKind.PROGRESS,
    NoticeKind.CHANGES,
    NoticeKind.SUCCEEDED,
]


class Room:
    def __init__(self, tmp_path: Path, local_slack: RehearsalSlack, channel: str) -> None:
        self.clock = Clock()
        self.clock.now = datetime.now(UTC)
        self.registry: Registry = open_registry(f"sqlite:///{tmp_path}/registry.db", clock=self.clock)
        self.local_slack = local_slack
        self.channel = channel
        self.slack = Slack(SecretStr("xoxb-test"), base_url=local_slack.api_url, timeout_seconds=1)

    def register(self, *kinds: NoticeKind, **changes: object) -> Deployment:
        return self.registry.deployments.register(deployment(**changes), notices=notices(*kinds))

    @property
    def deliverer(self) -> Deliverer:
        return Deliverer(self.registry, self.slack, "test", self.clock, lambda _: Audience(self.channel))

    @property
    def patience(self) -> Patience:
        return Patience(1000, self.clock.advance)

    def deliver(self) -> DeliveryReport:
        return self.deliverer.deliver(deployment().correlation_id, self.patience)

    @property
    def shown(self) -> list[dict[str, Any]]:
        return [item for item in self.local_slack.messages() if item["channel"] == self.channel.removeprefix("#")]

    @property
    def headings(self) -> list[str]:
        return [item["text"].splitlines()[0].partition(" [")[0] for item in self.shown]


@pytest.fixture
def room(tmp_path: Path, local_slack: RehearsalSlack, channel: str) -> Room:
    return Room(tmp_path, local_slack, channel)


def test_a_lifecycle_is_one_parent_and_its_thread(room: Room) -> None:
    room.register(*WHOLE)
    assert room.deliver() == DeliveryReport(delivered=5, skipped=1)
    parent, *replies = room.shown
    assert room.headings == [
        "✅ Deployment Complete",
        "⏸️ Deployment Queued",
        "🛠️ Its turn: deploying",
        "📋 Changes",
        "✅ Deployment Complete",
    ]
    assert len(parent["edits"]) == 1  # they all waited: it says at once how it ended
    assert {reply["thread_ts"] for reply in replies} == {parent["ts"]}
    assert room.deliver() == DeliveryReport()


@pytest.mark.parametrize("kind", ["ratelimited", "http500", "invalid_json", "hang", "after", "error"])
def test_promise_3_a_bad_day_of_slacks_loses_nothing_and_keeps_the_order(room: Room, kind: str) -> None:
    room.register(NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.SUCCEEDED)
    room.local_slack.set_faults({"method": "chat.update", "kind": kind})
    assert not room.deliver().is_complete
    assert room.headings == [
        "✅ Deployment Complete" if kind == "after" else "🚀 Deployment Started",
        "🛠️ Its turn: deploying",
    ]
    room.clock.advance(2)
    assert room.deliver().delivered == 1
    assert room.headings == ["✅ Deployment Complete", "🛠️ Its turn: deploying", "✅ Deployment Complete"]


def test_an_answer_lost_on_its_way_back_makes_one_duplicate(room: Room) -> None:
    room.register(NoticeKind.STARTED)
    room.deliver()
    room.registry.deployments.record(deployment().correlation_id, notices=notices(NoticeKind.STALLED))
    room.local_slack.set_faults({"method": "chat.postMessage", "kind": "after"})
    room.deliver()
    room.deliver()
    assert room.headings[1:] == ["⚠️ Stall warning", "⚠️ Stall warning"]


def test_after_an_outage_the_summary_is_last_and_says_how_many_were_late(room: Room) -> None:
    room.clock.now = datetime.now(UTC) - timedelta(minutes=20)
    room.register(NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.PROGRESS, NoticeKind.STALLED)
    room.clock.now = datetime.now(UTC)
    room.deliver()
    assert "for about 20 minutes: 3 messages about this deployment came late" in room.shown[-1]["text"]


def test_an_unknown_channel_parks_the_messages_and_says_so_once(room: Room) -> None:
    room.channel = "#no-such-channel"
    room.register(NoticeKind.STARTED, NoticeKind.SUCCEEDED)
    report = room.deliver()
    assert (report.parked, len(report.refusals)) == (2, 1)
    rows = room.registry.outbox.rows(deployment().correlation_id)
    assert [row.state for row in rows] == [DeliveryState.PARKED, DeliveryState.PARKED]
    assert "channel_not_found" in str(rows[0].last_error)


def test_everything_that_waits_is_delivered_by_the_schedule(room: Room) -> None:
    for number in range(3):
        room.register(NoticeKind.STARTED, correlation_id=f"20260302-140500-0000000{number}", flow_run_id=str(number))
    assert room.deliverer.deliver_all(room.patience) == DeliveryReport(delivered=3)
    assert room.registry.outbox.undelivered() == []


def test_untrusted_text_arrives_escaped(room: Room) -> None:
    error = Notice(kind=NoticeKind.FAILED, facts={"error": "<!channel> <script>alert(1)</script>"})
    room.registry.deployments.register(deployment(), notices=[error])
    room.deliver()
    assert "<!channel>" not in str(room.shown)
    assert "&lt;!channel&gt;" in str(room.shown)
