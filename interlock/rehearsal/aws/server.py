"""One port for all of AWS: our CloudFormation, MiniStack for the rest, faults and the request log before both."""

import asyncio
import importlib
from typing import Any

from interlock.rehearsal.aws import faults as fault_kinds
from interlock.rehearsal.aws.asgi import Answer, Capture, Message, Receive, Scope, Send, read_body, replayed
from interlock.rehearsal.aws.call import Call, identify
from interlock.rehearsal.aws.cloudformation.cloud import Cloud, Pace
from interlock.rehearsal.aws.cloudformation.service import CloudFormation
from interlock.rehearsal.aws.control import PREFIX, Control
from interlock.rehearsal.aws.faults import Faults
from interlock.rehearsal.aws.requestlog import RequestLog


class Server:
    """An ASGI application. Make it after `ministack_process.prepare`: MiniStack reads its settings when imported."""

    def __init__(self, pace: Pace) -> None:
        self._ministack = importlib.import_module("ministack.app").app
        self._responses: Any = importlib.import_module("ministack.core.responses")
        self._cloud = Cloud(pace)
        self._cloudformation = CloudFormation(self._cloud)
        self._faults = Faults()
        self._log = RequestLog(self._stack_of_change_set)
        self._control = Control(self._cloud, self._faults, self._log, self._reset_ministack)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._ministack(scope, receive, send)
            return
        body = await read_body(receive)
        if scope["path"].startswith(PREFIX):
            await (await self._control.answer(scope["method"], scope["path"], body)).deliver(send)
        else:
            await self._serve(scope, body, receive, send)

    async def stop(self) -> None:
        await self._cloud.reset()

    async def _serve(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        call = identify(scope, body)
        entry = self._log.begin(call)
        fault = self._faults.take(call)
        kind = entry["fault"] = fault["kind"] if fault else None
        if fault:
            await fault_kinds.wait(fault)
        if fault and kind == "error":
            answer = fault_kinds.error_answer(fault, call)
        else:
            answer = await self._performed(scope, call, body, receive)
        if fault and kind == "after":  # the request was carried out, and its answer is lost
            answer = fault_kinds.error_answer(fault, call)
        entry["status"] = answer.status
        await (answer.deliver_cut(send) if kind == "truncate" else answer.deliver(send))

    async def _performed(self, scope: Scope, call: Call, body: bytes, receive: Receive) -> Answer:
        if call.service == "cloudformation" and call.protocol == "query":
            self._responses.set_request_account_id(call.access_key)
            account = self._responses.get_account_id()
            return Answer.of_xml(*await self._cloudformation.answer(account, call.region, body))
        capture = Capture()
        await self._ministack(scope, replayed(body, receive), capture.send)
        return capture.answer

    def _stack_of_change_set(self, arn: str) -> str | None:
        return next((change_set.stack.name for change_set in self._cloud.change_sets if change_set.arn == arn), None)

    async def _reset_ministack(self) -> None:
        scope = {
            "type": "http", "method": "POST", "path": "/_ministack/reset", "raw_path": b"/_ministack/reset",
            "query_string": b"", "headers": [], "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0),
            "scheme": "http", "http_version": "1.1", "root_path": "",
        }  # fmt: skip
        await self._ministack(scope, replayed(b"", _silence), Capture().send)


async def _silence() -> Message:
    return await asyncio.Future()
