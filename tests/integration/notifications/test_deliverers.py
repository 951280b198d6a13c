"""Many deliverers on one SQLite outbox: threads in a hurry, and real processes with a real Slack."""

import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from interlock.models.notice import DeliveryState, NoticeKind, SlackThread
from interlock.notifications.audience import Audience
from interlock.notifications.card import Card
from interlock.notifications.delivery import Deliverer
from interlock.notifications.pace import Patience
from interlock.registry import Registry, open_registry
from interlock.rehearsal.slack.process import RehearsalSlack
from tests.unit.notifications.catalogue import deployment, notices

STORY = [NoticeKind.STARTED, NoticeKind.CHANGES, NoticeKind.STALLED, NoticeKind.SUCCEEDED]
REPLIES = ["Changes", "Stall warning", "Deployment Complete"]
HURRY = 10
"""How many seconds of the deliverers' time pass in one of ours."""
BEGAN_AT, BEGAN = datetime.now(UTC), time.monotonic()


def hurried_clock() -> datetime:
    return BEGAN_AT + timedelta(seconds=(time.monotonic() - BEGAN) * HURRY)


def hurried_sleep(seconds: float) -> None:
    time.sleep(seconds / HURRY)


def stories(registry: Registry, count: int) -> list[str]:
    """Deployments that have something to tell; their ids."""
    ids = [f"20260302-140500-{number:08x}" for number in range(count)]
    for cid in ids:
        registry.deployments.register(deployment(correlation_id=cid, flow_run_id=cid), notices=notices(*STORY))
    return ids


class SlowSlack:
    """Takes a moment for each call, and keeps the titles of the new messages of each channel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self.told: dict[str, list[str]] = defaultdict(list)
        self.overlaps = 0
        self._speaking: Counter[str] = Counter()

    def post(self, channel: str, card: Card) -> SlackThread:
        with self._call(channel):
            return SlackThread(channel=channel, parent_ts=self._note(channel, card))

    def reply(self, thread: SlackThread, card: Card, *, broadcast: bool = False) -> str:  # noqa: ARG002 - as Slack's
        with self._call(thread.channel):
            return self._note(thread.channel, card)

    def link(self, thread: SlackThread) -> str:
        return f"https://example.slack.com/{thread.parent_ts}"

    def update(self, thread: SlackThread, card: Card) -> None:  # noqa: ARG002 - as Slack's
        with self._call(thread.channel):
            pass

    @contextmanager
    def _call(self, channel: str) -> Iterator[None]:
        with self._lock:
            self.overlaps += self._speaking[channel]
            self._speaking[channel] += 1
        time.sleep(0.002)
        yield
        with self._lock:
            self._speaking[channel] -= 1

    def _note(self, channel: str, card: Card) -> str:
        with self._lock:
            self._count += 1
            self.told[channel].append(card.title.partition(" [")[0])
            return f"{self._count}.000000"


def test_promise_3_threads_on_one_outbox_send_each_message_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    registry = open_registry(url, clock=hurried_clock)
    ids = stories(registry, 8)
    slack = SlowSlack()

    def work(cid: str) -> None:
        own = open_registry(url, clock=hurried_clock)
        deliverer = Deliverer(own, slack, "thread", hurried_clock, lambda _: Audience(f"#{cid}"))
        for _ in range(2):
            deliverer.deliver(cid, Patience(1000, hurried_sleep))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [cid for cid in ids for _ in range(3)]))
    rows = [row for cid in ids for row in registry.outbox.rows(cid)]
    assert {row.state for row in rows} == {DeliveryState.DELIVERED}
    assert slack.told == {f"#{cid}": ["Deployment Started", *REPLIES] for cid in ids}
    assert slack.overlaps == 0


@pytest.mark.slow
def test_promise_3_processes_share_one_channel_at_a_message_a_second(
    tmp_path: Path, local_slack: RehearsalSlack, channel: str
) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    ids = stories(open_registry(url), 2)
    command = [sys.executable, "-m", f"{__package__}.deliverer", url, local_slack.api_url, channel]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    delivered = [int(process.communicate(timeout=120)[0]) for process in processes]
    assert sum(delivered) == len(ids) * len(STORY)
    shown = [each for each in local_slack.messages() if each["channel"] == channel.removeprefix("#")]
    for cid in ids:
        about = [each["text"].splitlines()[0].split(" ", 1)[1] for each in shown if cid in each["text"]]
        assert [text.partition(" [")[0] for text in about] == ["Deployment Complete", *REPLIES]
    sent_at = [datetime.fromisoformat(each["posted_at"]) for each in shown]
    assert min(after - before for before, after in pairwise(sent_at)) >= timedelta(seconds=1)
