"""What is told of an environment, without any deployment: a message of its own that follows its lock to the end."""

from pathlib import Path

import pytest
from pydantic import JsonValue

from interlock.models.notice import DeliveryState, Notice, NoticeKind
from interlock.notifications.announcements import Announcement
from interlock.notifications.audience import Audience
from interlock.notifications.blocks import blocks, fallback_text, plain
from interlock.notifications.delivery import Deliverer
from interlock.notifications.messages import plain_text, render
from interlock.notifications.pace import Patience
from interlock.registry import open_registry
from tests.unit.notifications.catalogue import SAMPLES
from tests.unit.notifications.kit import CHANNEL, Clock, MemorySlack
from tests.unit.notifications.test_messages import HOSTILE, OF_LOCKS, cards, texts_in

PRODUCTION = Announcement("production", "production-lock-1")
FACTS = dict(SAMPLES)


def text(kind: NoticeKind, **facts: JsonValue) -> str:
    return plain_text(render(PRODUCTION, Notice(kind=kind, facts=FACTS[kind] | facts)))


def test_a_lock_says_who_why_until_when_and_the_way_out_in_an_emergency() -> None:
    told = text(NoticeKind.LOCKED)
    assert told.startswith("🔒 Environment Locked\nEnvironment: production\n")
    for words in ("grace@laptop", "audit until Monday", "2026-03-09 08:00:00 UTC", "--override-lock --reason"):
        assert words in told


def test_a_lock_without_an_end_says_so() -> None:
    assert "Until: it is unlocked" in text(NoticeKind.LOCKED, locked_until=None)


def test_unlocking_says_who_did_it_whose_lock_it_was_and_is_shown_in_the_channel() -> None:
    rendered = render(PRODUCTION, Notice(kind=NoticeKind.UNLOCKED, facts=FACTS[NoticeKind.UNLOCKED]))
    assert rendered.broadcast
    for words in ("ada@desk", "the audit is over", "grace@laptop", "audit until Monday"):
        assert words in plain_text(rendered)


@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind.is_announcement])
def test_hostile_words_ping_nobody_and_forge_no_link(kind: NoticeKind) -> None:
    facts: dict[str, JsonValue] = dict.fromkeys((*OF_LOCKS, "unlocked_by", "unlock_reason"), HOSTILE)
    facts["findings"] = [dict.fromkeys(("correlation_id", "found", "done"), HOSTILE)]
    for card in cards(render(Announcement(HOSTILE, "x-lock-1"), Notice(kind=kind, facts=facts))):
        for told in [fallback_text(card), *texts_in(blocks(card)), plain(card)]:
            assert "\x1b" not in told
        for told in [fallback_text(card), *texts_in(blocks(card))]:
            assert "<!" not in told
            assert "<@" not in told
            assert "<http://evil" not in told


def test_promise_3_lock_and_unlock_are_one_message_in_the_channel_edited_and_answered(tmp_path: Path) -> None:
    clock = Clock()
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    slack = MemorySlack(clock)
    asked: list[str] = []

    def audience_of(environment: str) -> Audience:
        asked.append(environment)
        return Audience(CHANNEL)

    deliverer = Deliverer(registry, slack, owner="me", clock=clock, audience_of=audience_of)
    lock = registry.locks.lock("production", by="ada", reason="audit")
    assert deliverer.deliver_all(Patience(60)).delivered == 1
    clock.advance(60)
    registry.locks.unlock(lock, by="ada")
    assert deliverer.deliver_all(Patience(60)).delivered == 1
    assert slack.calls == ["post", "update", "broadcast"]
    assert set(asked) == {"production"}
    assert [card.title for card in slack.parents.values()] == ["Environment Unlocked"]
    assert {row.state for row in registry.outbox.rows(lock.announcement_id)} == {DeliveryState.DELIVERED}
    assert deliverer.deliver_all(Patience(60)).delivered == 0
