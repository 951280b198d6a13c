"""Our Slack against a real HTTP endpoint that answers, refuses and fails as Slack does."""

from typing import Any

import pytest
from pydantic import SecretStr

from interlock.errors import SlackRefusedError, SlackUnavailableError
from interlock.models.notice import NoticeKind, SlackThread
from interlock.notifications.card import Card
from interlock.notifications.slack import Slack, SlackMessageGoneError
from interlock.rehearsal.slack.process import RehearsalSlack
from tests.unit.notifications.catalogue import SAMPLES, message

TOKEN = "xoxb-planted-7d1f-secret"
CARD = Card("🚀", "Deployment Started")


@pytest.fixture
def slack(local_slack: RehearsalSlack) -> Slack:
    return Slack(SecretStr(TOKEN), base_url=local_slack.api_url, timeout_seconds=1)


def shown(local_slack: RehearsalSlack, channel: str) -> list[dict[str, Any]]:
    return [item for item in local_slack.messages() if item["channel"] == channel.removeprefix("#")]


def test_a_message_is_posted_edited_and_replied_to(slack: Slack, local_slack: RehearsalSlack, channel: str) -> None:
    thread = slack.post(channel, CARD)
    slack.update(thread, Card("✅", "Deployment Complete"))
    ts = slack.reply(thread, Card("📋", "Changes", compact=True), broadcast=True)
    parent, reply = shown(local_slack, channel)
    assert (parent["ts"], parent["channel_id"], parent["text"]) == (
        thread.parent_ts,
        thread.channel,
        "✅ Deployment Complete",
    )
    assert [edit["text"] for edit in parent["edits"]] == ["🚀 Deployment Started"]
    assert (reply["ts"], reply["thread_ts"], reply["broadcast"]) == (ts, thread.parent_ts, True)


def test_a_thread_has_a_link_for_people(slack: Slack, local_slack: RehearsalSlack, channel: str) -> None:
    thread = slack.post(channel, CARD)
    assert slack.link(thread) == f"{local_slack.url}/#{channel.removeprefix('#')}/{thread.parent_ts}"


@pytest.mark.parametrize(("kind", "facts"), SAMPLES)
def test_slack_takes_every_message(slack: Slack, channel: str, kind: NoticeKind, facts: dict[str, Any]) -> None:
    rendered = message(kind, facts)
    thread = slack.post(channel, rendered.parent)
    assert rendered.detail is None or slack.reply(thread, rendered.detail) > thread.parent_ts


def test_retry_after_is_told(slack: Slack, local_slack: RehearsalSlack, channel: str) -> None:
    local_slack.set_faults({"method": "chat.postMessage", "kind": "ratelimited", "retry_after": 17})
    with pytest.raises(SlackUnavailableError) as raised:
        slack.post(channel, CARD)
    assert raised.value.retry_after_seconds == 17


def test_a_retry_after_that_is_no_number_of_seconds_is_none(local_slack: RehearsalSlack) -> None:
    local_slack.set_faults({"kind": "ratelimited", "retry_after": -5})
    with pytest.raises(SlackUnavailableError) as raised:
        Slack(SecretStr(TOKEN), base_url=local_slack.api_url).post("#c", CARD)
    assert raised.value.retry_after_seconds is None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "http500"},
        {"kind": "invalid_json"},
        {"kind": "hang"},
        {"kind": "after"},
        {"kind": "error", "error": "internal_error"},
        {"kind": "error", "error": "service_unavailable"},
    ],
    ids=lambda fault: fault.get("error", fault["kind"]),
)
def test_what_may_work_later_is_unavailable(
    slack: Slack, local_slack: RehearsalSlack, channel: str, fault: dict[str, Any]
) -> None:
    local_slack.set_faults(fault)
    with pytest.raises(SlackUnavailableError) as raised:
        slack.post(channel, CARD)
    assert raised.value.retry_after_seconds is None
    assert len(shown(local_slack, channel)) == (fault["kind"] == "after")


@pytest.mark.parametrize("code", ["not_in_channel", "invalid_auth", "account_inactive", "is_archived", "msg_too_long"])
def test_what_never_works_is_refused(slack: Slack, local_slack: RehearsalSlack, channel: str, code: str) -> None:
    local_slack.set_faults({"kind": "error", "error": code})
    with pytest.raises(SlackRefusedError, match=code):
        slack.post(channel, CARD)


def test_an_unknown_channel_is_refused_with_what_to_do(slack: Slack) -> None:
    with pytest.raises(SlackRefusedError, match=r"channel_not_found.* Correct `slack_channel`"):
        slack.post("#no-such-channel", CARD)


def test_a_vanished_parent_is_told_apart(slack: Slack, channel: str) -> None:
    thread = slack.post(channel, CARD)
    with pytest.raises(SlackMessageGoneError):
        slack.update(SlackThread(channel=thread.channel, parent_ts="1.000001"), CARD)


def test_the_library_logs_nothing_of_its_own(
    slack: Slack, local_slack: RehearsalSlack, channel: str, caplog: pytest.LogCaptureFixture
) -> None:
    local_slack.set_faults({"kind": "invalid_json"})
    with caplog.at_level("DEBUG"), pytest.raises(SlackUnavailableError):
        slack.post(channel, CARD)
    assert caplog.records == []


def test_a_slack_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(SlackUnavailableError, match="does not answer"):
        Slack(SecretStr(TOKEN), base_url="http://127.0.0.1:9/api/").post("#c", CARD)


def test_a_proxy_is_not_asked_for_a_local_slack(
    monkeypatch: pytest.MonkeyPatch, local_slack: RehearsalSlack, channel: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert Slack(SecretStr(TOKEN), base_url=local_slack.api_url).post(channel, CARD).channel.startswith("C")


@pytest.mark.parametrize("kind", ["ratelimited", "http500", "invalid_json", "after", "error"])
def test_the_token_is_in_no_error_and_no_repr(
    slack: Slack, local_slack: RehearsalSlack, channel: str, kind: str
) -> None:
    local_slack.set_faults({"kind": kind})
    with pytest.raises(SlackUnavailableError) as raised:
        slack.post(channel, CARD)
    error = raised.value
    assert error.__suppress_context__  # so that no traceback goes on to the library's error, which knows the request
    for text in (str(error), repr(error), repr(slack), str(vars(error))):
        assert TOKEN not in text
