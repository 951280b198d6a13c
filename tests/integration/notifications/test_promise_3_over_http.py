"""Promise 3 on the real way: a registry in a file, the real Slack library, HTTP, and a Slack that has bad days at random."""

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from interlock.models.notice import DeliveryState, NoticeKind
from interlock.notifications.audience import Audience
from interlock.notifications.messages import plain_text, render
from interlock.notifications.slack import Slack
from interlock.registry import Registry, open_registry
from interlock.rehearsal.slack.process import RehearsalSlack
from tests.unit.notifications.catalogue import deployment
from tests.unit.notifications.kit import Clock, deliver, notice

ONE = deployment()
CID = ONE.correlation_id
REFUSED = {"kind": "error", "error": "not_in_channel"}
HANGS = {"kind": "hang", "seconds": 2}
FAULTS: list[dict[str, Any]] = [
    REFUSED,
    {"kind": "ratelimited", "retry_after": 7},
    {"kind": "http500"},
    HANGS,
    {"kind": "after"},
    {"kind": "invalid_json"},
]
MIDDLE = [kind for kind in NoticeKind if kind not in (NoticeKind.STARTED, NoticeKind.SUMMARY)]

lifecycles = st.lists(st.sampled_from(MIDDLE), max_size=5, unique=True)  # so that a repetition can be told
bad_days = st.lists(st.sampled_from(FAULTS), max_size=5)


class Story:
    """A deployment's notices, each delivered as it is written; each attempt may meet the next fault."""

    def __init__(self, folder: Path, local_slack: RehearsalSlack) -> None:
        self.clock = Clock()
        self.clock.now = datetime.now(UTC)
        self.registry: Registry = open_registry(f"sqlite:///{folder}/registry.db", clock=self.clock)
        self.registry.deployments.register(ONE)
        self.local_slack = local_slack
        self.slack = Slack(SecretStr("xoxb-test"), base_url=local_slack.api_url, timeout_seconds=1)
        self.channel = f"#test-{uuid4().hex}"
        self._calls_before = len(local_slack.log())

    def live(self, kinds: list[NoticeKind]) -> None:
        for number, kind in enumerate(kinds):
            self.registry.deployments.record(CID, notices=[notice(kind, number)])
            self.deliver()
        while not self.deliver():
            self.clock.advance(8)

    def deliver(self) -> bool:
        return deliver(
            self.registry, self.slack, CID, self.clock, audience=Audience(self.channel), patience_seconds=100
        ).is_complete

    @property
    def replies(self) -> list[str]:
        shown = [each for each in self.local_slack.messages() if each["channel"] == self.channel.removeprefix("#")]
        return [each["text"] for each in shown if each["thread_ts"]]

    @property
    def met(self) -> Counter[str]:
        return Counter(entry["fault"] for entry in self.local_slack.log()[self._calls_before :])


@pytest.mark.slow
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], phases=[Phase.generate]
)
@given(kinds=lifecycles, faults=bad_days)
def test_promise_3_random_lifecycles_meet_random_faults(
    local_slack: RehearsalSlack, kinds: list[NoticeKind], faults: list[dict[str, Any]]
) -> None:
    local_slack.set_faults(*faults)
    with TemporaryDirectory() as folder:
        story = Story(Path(folder), local_slack)
        story.live([NoticeKind.STARTED, *kinds])
        rows = story.registry.outbox.rows(CID)
    sent = [row for row in rows if row.state is DeliveryState.DELIVERED]
    details = [(render(ONE, row.notice), row) for row in sent]
    expected = [escaped(plain_text(message)) for message, _ in details if message.detail]
    assert [text for text, _ in groupby(story.replies)] == expected
    assert len(story.replies) - len(expected) <= story.met["after"]
    assert sum(row.state is DeliveryState.PARKED for row in rows) <= story.met["error"]
    assert not [row for row in rows if row.state is DeliveryState.WAITING]


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
