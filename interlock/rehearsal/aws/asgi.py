"""The few ASGI pieces the server needs: whole requests, whole answers, replayed bodies."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Headers = field(default_factory=list)

    @classmethod
    def of_json(cls, value: Any, status: int = 200) -> "Answer":
        return cls(status, json.dumps(value).encode(), [(b"content-type", b"application/json")])

    @classmethod
    def of_xml(cls, status: int, body: bytes) -> "Answer":
        return cls(status, body, [(b"content-type", b"text/xml")])

    async def deliver(self, send: Send) -> None:
        await self._begin(send, len(self.body))
        await send({"type": "http.response.body", "body": self.body})

    async def deliver_cut(self, send: Send) -> None:
        """Promise the whole body, send half of it and let the connection break."""
        await self._begin(send, len(self.body) + 1)
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})

    async def _begin(self, send: Send, length: int) -> None:
        names = {name.lower() for name, _ in self.headers}
        # An answer to HEAD tells the length of a body that it does not have.
        own = [] if b"content-length" in names and not self.body else [(b"content-length", str(length).encode())]
        headers = [(name, value) for name, value in self.headers if name.lower() != b"content-length" or not own]
        await send({"type": "http.response.start", "status": self.status, "headers": headers + own})


async def read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body we have read already, then whatever comes."""
    unread = [body]

    async def again() -> Message:
        return {"type": "http.request", "body": unread.pop(), "more_body": False} if unread else await receive()

    return again


class Capture:
    """A `send` that keeps the answer instead of sending it."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: Headers = []
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))

    @property
    def answer(self) -> Answer:
        return Answer(self._status, b"".join(self._parts), self._headers)
