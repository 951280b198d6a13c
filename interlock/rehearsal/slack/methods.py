"""The Web API methods that the local Slack knows, as strict about their arguments as Slack is."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from interlock.rehearsal.slack.workspace import Content, Message, SlackError, Workspace

Arguments = dict[str, Any]
Answer = dict[str, Any]

_TEXT_LIMIT = 40_000
_BLOCKS_LIMIT = 50
_HEADER_LIMIT = 150
_SECTION_LIMIT = 3000
_FIELD_LIMIT = 2000
_LIST_LIMIT = 10
_BOT = {"user_id": "U0INTERLOCK", "bot_id": "B0INTERLOCK", "user": "interlock"}


def call(workspace: Workspace, method: str, arguments: Arguments, token: str | None) -> Answer:
    """Slack's answer.

    Raises:
        SlackError: with the code that Slack would answer.
    """
    if not token:
        raise SlackError("not_authed")
    if "invalid" in token:
        raise SlackError("invalid_auth")
    if method not in _METHODS:
        raise SlackError("unknown_method")
    return {"ok": True, **_METHODS[method](workspace, arguments, token)}


def _auth_test(_workspace: Workspace, _arguments: Arguments, _token: str) -> Answer:
    return {"url": "https://rehearsal.slack.com/", "team": "Rehearsal", "team_id": "T0REHEARSAL", **_BOT}


def _post_message(workspace: Workspace, arguments: Arguments, token: str) -> Answer:
    channel = workspace.channel(str(arguments.get("channel") or ""))
    content = _content(arguments)
    message = workspace.post(
        channel,
        content,
        thread_ts=arguments.get("thread_ts") or None,
        broadcast=_truth(arguments.get("reply_broadcast")),
        token=token,
    )
    return {"channel": channel.id, "ts": message.ts, "message": _shown(message)}


def _update(workspace: Workspace, arguments: Arguments, _token: str) -> Answer:
    channel = workspace.channel_by_id(str(arguments.get("channel") or ""))
    message = workspace.update(channel, str(arguments.get("ts") or ""), _content(arguments))
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": _shown(message)}


def _get_permalink(workspace: Workspace, arguments: Arguments, _token: str) -> Answer:
    channel = workspace.channel_by_id(str(arguments.get("channel") or ""))
    message = workspace.message(channel, str(arguments.get("message_ts") or ""))
    return {"channel": channel.id, "permalink": f"{workspace.url}#{quote(channel.name)}/{message.ts}"}


def _delete(workspace: Workspace, arguments: Arguments, _token: str) -> Answer:
    channel, ts = workspace.channel_by_id(str(arguments.get("channel") or "")), str(arguments.get("ts") or "")
    workspace.delete(channel, ts)
    return {"channel": channel.id, "ts": ts}


_METHODS: dict[str, Callable[[Workspace, Arguments, str], Answer]] = {
    "auth.test": _auth_test,
    "chat.getPermalink": _get_permalink,
    "chat.postMessage": _post_message,
    "chat.update": _update,
    "chat.delete": _delete,
}


def _shown(message: Message) -> Answer:
    threaded = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    return {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks, **threaded, **_BOT}


def _content(arguments: Arguments) -> Content:
    text, blocks = str(arguments.get("text") or ""), _blocks(arguments.get("blocks"))
    if not text and not blocks:
        raise SlackError("no_text")
    if len(text) > _TEXT_LIMIT:
        raise SlackError("msg_too_long")
    return Content(text=text, blocks=blocks)


def _blocks(given: Any) -> list[dict[str, Any]]:
    """The blocks, from JSON or from a form's text, if Slack would take them."""
    try:
        blocks = json.loads(given) if isinstance(given, str) and given else given or []
    except ValueError:
        raise SlackError("invalid_blocks_format") from None
    if not isinstance(blocks, list) or len(blocks) > _BLOCKS_LIMIT or not all(map(_is_valid, blocks)):
        raise SlackError("invalid_blocks")
    return blocks


def _is_valid(block: Any) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": str(text)}}:
            return 0 < len(text) <= _HEADER_LIMIT
        case {"type": "section", "fields": list(fields)}:
            return 0 < len(fields) <= _LIST_LIMIT and all(_is_text(item, _FIELD_LIMIT) for item in fields)
        case {"type": "section", "text": text}:
            return _is_text(text, _SECTION_LIMIT)
        case {"type": "context", "elements": list(elements)}:
            return 0 < len(elements) <= _LIST_LIMIT and all(_is_text(item, _SECTION_LIMIT) for item in elements)
        case {"type": "divider"}:
            return True
        case _:
            return False


def _is_text(value: Any, limit: int) -> bool:
    match value:
        case {"type": "mrkdwn" | "plain_text", "text": str(text)}:
            return 0 < len(text) <= limit
        case _:
            return False


def _truth(value: Any) -> bool:
    return value in (True, "1", "true")
