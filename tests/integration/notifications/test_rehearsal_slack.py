"""The local Slack itself: a process, its endpoints, its page, and how it ends."""

import signal
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest

from interlock.errors import StartupError
from interlock.rehearsal.slack.process import RehearsalSlack

AUTHORIZED = {"Authorization": "Bearer xoxb-1234-abcd"}


def ask(local_slack: RehearsalSlack, method: str, headers: dict[str, str] | None = None, **how: Any) -> dict[str, Any]:
    sent = AUTHORIZED if headers is None else headers
    answer: dict[str, Any] = httpx.post(f"{local_slack.api_url}{method}", headers=sent, trust_env=False, **how).json()
    return answer


def test_json_and_form_bodies_are_both_taken(local_slack: RehearsalSlack, channel: str) -> None:
    for how in ({"json": {"channel": channel, "text": "hi"}}, {"data": {"channel": channel, "text": "hi"}}):
        answer = ask(local_slack, "chat.postMessage", **how)
        assert answer["ok"]
        assert answer["channel"].startswith("C")
        assert local_slack.messages()[-1]["token_last4"] == "abcd"


def test_every_ts_is_its_own(local_slack: RehearsalSlack, channel: str) -> None:
    answers = [ask(local_slack, "chat.postMessage", json={"channel": channel, "text": "hi"}) for _ in range(20)]
    assert len({answer["ts"] for answer in answers}) == 20


@pytest.mark.parametrize(
    ("method", "headers", "body", "error"),
    [
        ("chat.postMessage", {}, {"channel": "#c", "text": "hi"}, "not_authed"),
        ("auth.test", {"Authorization": "Bearer xoxb-invalid"}, {}, "invalid_auth"),
        ("chat.postMessage", AUTHORIZED, {"channel": "#no-such-channel", "text": "hi"}, "channel_not_found"),
        ("chat.postMessage", AUTHORIZED, {"channel": "#c"}, "no_text"),
        ("chat.postMessage", AUTHORIZED, {"channel": "#c", "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", AUTHORIZED, {"channel": "#c", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ("chat.postMessage", AUTHORIZED, {"channel": "#c", "text": "hi", "blocks": "{"}, "invalid_blocks_format"),
        ("chat.postMessage", AUTHORIZED, {"channel": "#c", "text": "hi", "thread_ts": "1.2"}, "message_not_found"),
        ("chat.update", AUTHORIZED, {"channel": "#c", "ts": "1.2", "text": "hi"}, "channel_not_found"),
        ("chat.scream", AUTHORIZED, {}, "unknown_method"),
    ],
)
def test_mistakes_get_slacks_own_words(
    local_slack: RehearsalSlack, method: str, headers: dict[str, str], body: dict[str, Any], error: str
) -> None:
    assert ask(local_slack, method, headers, json=body) == {"ok": False, "error": error}


def test_a_valid_token_is_told_who_it_is(local_slack: RehearsalSlack) -> None:
    assert ask(local_slack, "auth.test")["user"] == "interlock"


def test_faults_are_used_up_and_logged(local_slack: RehearsalSlack) -> None:
    local_slack.set_faults({"method": "auth.test", "kind": "error", "error": "fatal_error", "times": 2})
    answers = [ask(local_slack, "auth.test").get("error") for _ in range(3)]
    assert answers == ["fatal_error", "fatal_error", None]
    assert [entry["fault"] for entry in local_slack.log()[-3:]] == ["error", "error", None]


def test_a_fault_that_is_none_is_refused(local_slack: RehearsalSlack) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        local_slack.set_faults({"kind": "earthquake"})


def test_the_page_works_offline(local_slack: RehearsalSlack) -> None:
    answer = httpx.get(local_slack.url, trust_env=False)
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for fetched in ("src=", "@import", "url(", "<link"):
        assert fetched not in answer.text
    assert "innerHTML" not in answer.text


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "interlock.rehearsal.slack", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("options", [[], ["--exit-with-stdin"]])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_when_asked_to(number: signal.Signals, options: list[str]) -> None:
    with start("--port", "0", *options) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready: http://127.0.0.1:")
        process.send_signal(number)
        assert ended(process) == (0, "")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and complaint; its standard input stays open, so that only the signal can have ended it."""
    try:
        code = process.wait(timeout=10)
    finally:
        process.kill()
    assert process.stderr is not None
    return code, process.stderr.read()


def test_it_ends_with_whoever_started_it() -> None:
    with start("--port", "0", "--exit-with-stdin") as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_a_port_in_use_is_one_paragraph() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with start("--port", str(port)) as process:
            _, complaint = process.communicate(timeout=10)
        assert process.returncode == 1
        assert complaint.count("\n") == 1
        assert f"127.0.0.1:{port}: Address already in use. Stop what uses the port" in complaint
        with pytest.raises(StartupError, match="Address already in use"), RehearsalSlack(port):
            pass


def test_stopping_twice_is_as_good_as_once() -> None:
    slack = RehearsalSlack().start()
    slack.stop()
    slack.stop()
    with pytest.raises(httpx.ConnectError):
        slack.messages()


def test_it_listens_on_this_machine_alone(local_slack: RehearsalSlack) -> None:
    port = int(local_slack.url.rpartition(":")[2])
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", port))
