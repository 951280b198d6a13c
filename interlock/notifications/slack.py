"""The only module that talks to Slack. Whatever goes wrong there is told apart here, once: it may work later
(SlackUnavailableError) or it never will (SlackRefusedError).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from interlock.errors import SlackRefusedError, SlackUnavailableError
from interlock.models.notice import SlackThread
from interlock.notifications.blocks import blocks, fallback_text
from interlock.notifications.card import Card
from interlock.notifications.escape import one_line

if TYPE_CHECKING:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web import SlackResponse

Answer = dict[str, Any]

_DEFAULT_URL = "https://slack.com/api/"
_TIMEOUT_SECONDS = 5
_MOST_PAGES = 10
_SERVER_ERROR = 500
_TOO_MANY_REQUESTS = 429
_MAY_WORK_LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded", "internal_error", "fatal_error",
                             "service_unavailable", "request_timeout", "team_added_to_org"})  # fmt: skip
_MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
_NEXT_STEPS = {
    "channel_not_found": "Correct `slack_channel` in the environments file; invite the bot if it is private.",
    "not_in_channel": "Invite the bot to the channel.",
    "is_archived": "Unarchive the channel, or name another one in the environments file.",
    "invalid_auth": "Set INTERLOCK_SLACK_TOKEN to a valid bot token.",
    "not_authed": "Set INTERLOCK_SLACK_TOKEN to a valid bot token.",
    "account_inactive": "The bot was removed from the workspace: install it again and set INTERLOCK_SLACK_TOKEN.",
    "token_revoked": "Make a new bot token and set INTERLOCK_SLACK_TOKEN.",
    "missing_scope": "Give the bot the scope chat:write.",
}


class SlackMessageGoneError(SlackRefusedError):
    """The message to edit was deleted, or may no longer be edited."""


@dataclass(frozen=True)
class SlackIdentity:
    """Who the token is. `scopes` is None where Slack does not tell."""

    team: str
    user: str
    scopes: frozenset[str] | None


class Slack:
    """One workspace's Slack, by a bot token."""

    def __init__(self, token: SecretStr, base_url: str | None = None, timeout_seconds: int = _TIMEOUT_SECONDS) -> None:
        self._client = _web_client(token.get_secret_value(), base_url or _DEFAULT_URL, timeout_seconds)

    def __repr__(self) -> str:
        return f"Slack({self._client.base_url!r})"

    def post(self, channel: str, card: Card) -> SlackThread:
        """A new message in the channel. Its thread names the channel by id: Slack edits by nothing else."""
        answer = self._call("chat.postMessage", channel=channel, **_content(card))
        return SlackThread(channel=_text(answer, "channel"), parent_ts=_text(answer, "ts"))

    def reply(self, thread: SlackThread, card: Card, *, broadcast: bool = False) -> str:
        """A reply in the thread, with `broadcast` in the channel too; its ts."""
        where = {"channel": thread.channel, "thread_ts": thread.parent_ts}
        return _text(self._call("chat.postMessage", **where, reply_broadcast=broadcast, **_content(card)), "ts")

    def link(self, thread: SlackThread) -> str:
        """A link to the thread, for people (chat.getPermalink, which needs no scope)."""
        answer = self._call_with_form("chat.getPermalink", channel=thread.channel, message_ts=thread.parent_ts)
        return _text(answer, "permalink")

    def update(self, thread: SlackThread, card: Card) -> None:
        """Edits the thread's parent message."""
        _text(self._call("chat.update", channel=thread.channel, ts=thread.parent_ts, **_content(card)), "ts")

    def identity(self) -> SlackIdentity:
        """Who the token is and what it may do; asks Slack, changes nothing."""
        response = self._response("auth.test")
        headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
        scopes = headers.get("x-oauth-scopes")
        data = response.data if isinstance(response.data, dict) else {}
        given = None if scopes is None else frozenset(scope.strip() for scope in scopes.split(","))
        return SlackIdentity(team=_text(data, "team"), user=_text(data, "user"), scopes=given)

    def channels(self) -> dict[str, bool]:
        """The channels that the token sees, by `#name` and by id: whether the bot is in each.

        Needs `channels:read` and `groups:read`: with the first alone, a private channel would look like none at all.
        """
        found: dict[str, bool] = {}
        query = {"types": "public_channel,private_channel", "exclude_archived": "true", "limit": "1000"}
        cursor = ""
        for _ in range(_MOST_PAGES):
            answer = self._call_with_form("conversations.list", **query, cursor=cursor)
            for channel in answer.get("channels", ()):
                found |= dict.fromkeys((f"#{channel['name']}", channel["id"]), bool(channel.get("is_member")))
            cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return found
        raise SlackUnavailableError(f"Slack has more than {_MOST_PAGES * 1000} channels: not all were read.")

    def _call_with_form(self, method: str, **arguments: str) -> Answer:
        """Slack's reading methods take no JSON."""
        answer = self._response(method, data=arguments).data
        return answer if isinstance(answer, dict) else {}

    def _call(self, method: str, **arguments: Any) -> Answer:
        answer = self._response(method, json=arguments).data
        if not isinstance(answer, dict):
            raise SlackUnavailableError(f"Slack's answer to {method} is no JSON object.")
        return answer

    def _response(self, method: str, **how: Any) -> "SlackResponse":
        from slack_sdk.errors import SlackApiError, SlackClientError  # noqa: PLC0415 - heavy, see _web_client

        # `from None`: the library's errors hold the request with its Authorization header.
        try:
            return self._client.api_call(method, **how)
        except SlackApiError as error:
            raise _told_apart(method, error) from None
        except (OSError, HTTPException, SlackClientError, ValueError) as error:
            raise SlackUnavailableError(f"Slack does not answer {method}: {type(error).__name__}.") from None


def _web_client(token: str, base_url: str, timeout_seconds: int) -> "WebClient":
    """Without the library's own retries (the outbox retries, and counts) and its own log (our errors say the same)."""
    from slack_sdk import WebClient  # noqa: PLC0415 - heavy: only who sends pays for it

    client = WebClient(token, base_url=base_url, timeout=timeout_seconds, retry_handlers=[], logger=_silent_logger())
    if urlsplit(base_url).hostname in ("127.0.0.1", "localhost"):
        client.proxy = None  # the library takes HTTPS_PROXY and knows no NO_PROXY: a local Slack would not be reached
    return client


def _silent_logger() -> logging.Logger:
    logger = logging.getLogger(f"{__name__}.library")
    logger.setLevel(logging.CRITICAL)
    return logger


def _content(card: Card) -> Answer:
    return {"text": fallback_text(card), "blocks": blocks(card), "unfurl_links": False, "unfurl_media": False}


def _text(answer: Answer, name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise SlackUnavailableError(f"Slack's answer has no {name}.")
    return value


def _told_apart(method: str, error: "SlackApiError") -> SlackUnavailableError | SlackRefusedError:
    status, code = _status_of(error), _code_of(error)
    if status == _TOO_MANY_REQUESTS or code in _MAY_WORK_LATER:
        return SlackUnavailableError(f"Slack asks us to wait ({code}).", retry_after_seconds=_retry_after(error))
    if status >= _SERVER_ERROR or not code.isidentifier():  # no code of Slack's: a broken or foreign answer
        return SlackUnavailableError(f"Slack's answer to {method} cannot be understood (HTTP {status}).")
    kind: Callable[..., SlackRefusedError] = SlackMessageGoneError if code in _MESSAGE_GONE else SlackRefusedError
    return kind(f"Slack refused {method}: {code}.", next_step=_NEXT_STEPS.get(code))


def _status_of(error: "SlackApiError") -> int:
    return int(getattr(error.response, "status_code", 0) or 0)


def _code_of(error: "SlackApiError") -> str:
    data = getattr(error.response, "data", None)
    return one_line(str(data.get("error", ""))) if isinstance(data, dict) else ""


def _retry_after(error: "SlackApiError") -> float | None:
    headers = {name.lower(): value for name, value in dict(getattr(error.response, "headers", None) or {}).items()}
    try:
        seconds = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return seconds if seconds >= 0 else None  # "nan" is none
