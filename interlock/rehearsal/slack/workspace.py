"""What the local Slack remembers: channels and their messages, as long as the process lives."""

import re
import threading
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from interlock.clock import Clock, utc_now

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{8,}")
_CHANNEL_NAME = re.compile(r"#?[\w.-]{1,80}")
_MISSING_CHANNEL = "no-such-channel"


class SlackError(Exception):
    """An error as Slack answers it: `code` is Slack's own word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Content:
    """What a caller may set in a message."""

    text: str
    blocks: list[dict[str, Any]]


@dataclass
class Message:
    """A message with its history: `edits` holds what it said before, oldest first."""

    ts: str
    channel: str
    channel_id: str
    thread_ts: str | None
    text: str
    blocks: list[dict[str, Any]]
    posted_at: str
    broadcast: bool = False
    token_last4: str = ""
    edited_at: str | None = None
    edits: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Channel:
    id: str
    name: str


class Workspace:
    """Thread-safe: the server answers each request in a thread of its own."""

    def __init__(self, clock: Clock = utc_now, url: str = "https://rehearsal.slack.com/") -> None:
        self.url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._messages: list[Message] = []
        self._channels: dict[str, Channel] = {}
        self._last_ts = 0

    def post(
        self, channel: Channel, content: Content, *, thread_ts: str | None, broadcast: bool, token: str
    ) -> Message:
        with self._lock:
            if thread_ts is not None:
                self._find(channel, thread_ts)
            message = Message(
                ts=self._next_ts(),
                channel=channel.name,
                channel_id=channel.id,
                thread_ts=thread_ts,
                text=content.text,
                blocks=content.blocks,
                posted_at=self._clock().isoformat(),
                broadcast=broadcast and thread_ts is not None,
                token_last4=token[-4:],
            )
            self._messages.append(message)
            return message

    def message(self, channel: Channel, ts: str) -> Message:
        with self._lock:
            return self._find(channel, ts)

    def update(self, channel: Channel, ts: str, content: Content) -> Message:
        with self._lock:
            message = self._find(channel, ts)
            message.edits.append({"text": message.text, "blocks": message.blocks})
            message.text, message.blocks, message.edited_at = content.text, content.blocks, self._clock().isoformat()
            return message

    def delete(self, channel: Channel, ts: str) -> None:
        with self._lock:
            self._messages.remove(self._find(channel, ts))

    def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first, as JSON."""
        with self._lock:
            return [asdict(message) for message in self._messages]

    def channel(self, name_or_id: str) -> Channel:
        """The channel to post to; made if its name is a possible one."""
        with self._lock:
            name = name_or_id.removeprefix("#")
            known = self._channels.get(name_or_id) or next((c for c in self._channels.values() if c.name == name), None)
            if known is None and name != _MISSING_CHANNEL and _CHANNEL_NAME.fullmatch(name_or_id):
                made = _CHANNEL_ID.fullmatch(name)
                known = Channel(id=name if made else f"C{sha256(name.encode()).hexdigest()[:10].upper()}", name=name)
                self._channels[known.id] = known
            return _found(known)

    def channel_by_id(self, channel_id: str) -> Channel:
        """The channel to edit in: as with Slack itself, a name is not enough here."""
        with self._lock:
            return _found(self._channels.get(channel_id))

    def _find(self, channel: Channel, ts: str) -> Message:
        for message in self._messages:
            if message.ts == ts and message.channel_id == channel.id:
                return message
        raise SlackError("message_not_found")

    def _next_ts(self) -> str:
        """Seconds and microseconds, never the same twice."""
        self._last_ts = max(self._last_ts + 1, int(self._clock().timestamp() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"


def _found(channel: Channel | None) -> Channel:
    if channel is None:
        raise SlackError("channel_not_found")
    return channel
