"""The local Slack's HTTP: Slack's own endpoints below /api/, ours below /_rehearsal/, the page at /."""

import json
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError

from interlock.clock import Clock, utc_now
from interlock.rehearsal.slack.faults import Fault, Faults
from interlock.rehearsal.slack.methods import Answer, Arguments, call
from interlock.rehearsal.slack.workspace import SlackError, Workspace

LOOPBACK = "127.0.0.1"

_JSON = "application/json; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
_BODY_LIMIT = 1_000_000


class SlackServer(ThreadingHTTPServer):
    """Listens on this machine alone."""

    daemon_threads = True

    def __init__(self, port: int, clock: Clock = utc_now) -> None:
        self.faults = Faults()
        self.log: list[dict[str, Any]] = []
        self.stopping = threading.Event()
        super().__init__((LOOPBACK, port), _Handler)
        self.workspace = Workspace(clock, f"{self.url}/")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is its own business (the faults make clients do so); anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: SlackServer
    protocol_version = "HTTP/1.1"
    server_version = "RehearsalSlack"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        match path:
            case "/":
                self._send(_page(), _HTML)
            case "/_rehearsal/messages":
                self._send_json(self.server.workspace.messages())
            case "/_rehearsal/log":
                self._send_json(self.server.log)
            case "/_rehearsal/faults":
                self._send(self.server.faults.as_json(), _JSON)
            case _:
                self._send_json({"error": f"nothing at {path}"}, status=HTTPStatus.NOT_FOUND)

    def do_PUT(self) -> None:
        body = self._body()
        if self.path != "/_rehearsal/faults":
            self._send_json({"error": f"nothing at {self.path}"}, status=HTTPStatus.NOT_FOUND)
            return
        try:
            self.server.faults.replace(body)
        except ValidationError as error:
            self._send_json({"error": str(error)}, status=HTTPStatus.BAD_REQUEST)
        else:
            self._send(self.server.faults.as_json(), _JSON)

    def do_POST(self) -> None:
        body = self._body()
        if not self.path.startswith("/api/"):
            self._send_json({"error": f"nothing at {self.path}"}, status=HTTPStatus.NOT_FOUND)
            return
        method = self.path.removeprefix("/api/")
        fault = self.server.faults.take(method)
        if fault is None or fault.kind == "after":
            self._call(method, body, lost=fault is not None)
        else:
            self._log(method, {}, fault.kind)
            self._fail(fault)

    def _call(self, method: str, body: bytes, *, lost: bool) -> None:
        arguments = _arguments(body, self.headers.get("Content-Type", ""))
        answer = self._answer(method, arguments)
        self._log(method, {**arguments, **answer}, "after" if lost else None)
        if lost:
            self.close_connection = True  # done, and nobody will be told
        else:
            self._send_json(answer)

    def _answer(self, method: str, arguments: Arguments) -> Answer:
        try:
            return call(self.server.workspace, method, arguments, self._token() or arguments.get("token"))
        except SlackError as error:
            return {"ok": False, "error": error.code}

    def _fail(self, fault: Fault) -> None:
        match fault.kind:
            case "ratelimited":
                wait = {"Retry-After": str(fault.retry_after)}
                self._send_json(
                    {"ok": False, "error": "ratelimited"}, status=HTTPStatus.TOO_MANY_REQUESTS, headers=wait
                )
            case "error":
                self._send_json({"ok": False, "error": fault.error})
            case "http500":
                self._send(b"upstream connect error", "text/plain", status=HTTPStatus.INTERNAL_SERVER_ERROR)
            case "invalid_json":
                self._send(b'{"ok": tr', _JSON)
            case _:
                self.server.stopping.wait(fault.seconds)
                self.close_connection = True

    def _token(self) -> str:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def _body(self) -> bytes:
        """The body; an oversized one is not read and ends the connection."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > _BODY_LIMIT:
            self.close_connection = True
            return b""
        return self.rfile.read(length)

    def _log(self, method: str, known: Mapping[str, Any], fault: str | None) -> None:
        shown = {name: known.get(name) for name in ("ok", "error", "channel", "ts", "thread_ts")}
        self.server.log.append({"at": datetime.now(UTC).isoformat(), "method": method, "fault": fault, **shown})

    def _send_json(
        self, value: Any, *, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> None:
        self._send(json.dumps(value).encode(), _JSON, status=status, headers=headers)

    def _send(
        self, body: bytes, kind: str, *, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        own = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
        for name, value in {**own, "Content-Security-Policy": _CONTENT_POLICY, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Silent: what was asked is at /_rehearsal/log."""


def _page() -> bytes:
    return files("interlock.rehearsal.slack").joinpath("page.html").read_bytes()


def _arguments(body: bytes, kind: str) -> Arguments:
    """The call's arguments, from JSON or a form; whatever is neither holds none."""
    if kind.startswith("application/json"):
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            return {}
        return given if isinstance(given, dict) else {}
    return dict(parse_qsl(body.decode(errors="replace")))
