"""The rehearsal's own endpoints, `/_rehearsal/...`: rules, faults, request log, operations, stand-ins, reset."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from interlock.rehearsal.aws.asgi import Answer
from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.faults import Faults
from interlock.rehearsal.aws.requestlog import RequestLog

PREFIX = "/_rehearsal/"


class Control:
    def __init__(
        self, cloud: Cloud, faults: Faults, log: RequestLog, reset_backend: Callable[[], Awaitable[None]]
    ) -> None:
        self._cloud = cloud
        self._faults = faults
        self._log = log
        self._reset_backend = reset_backend
        self._readers: dict[str, Callable[[], Any]] = {
            "rules": lambda: cloud.rules.listed,
            "faults": lambda: faults.listed,
            "log": lambda: log.entries,
            "operations": cloud.operation_list,
            "standins": lambda: cloud.standins,
        }
        self._writers: dict[str, Callable[[list[Any]], None]] = {
            "rules": cloud.rules.replace,
            "faults": faults.replace,
            "log": self._replace_log,
        }

    async def answer(self, method: str, path: str, body: bytes) -> Answer:
        name = path.removeprefix(PREFIX).strip("/")
        if method == "POST" and name == "reset":
            await self._reset()
            return Answer.of_json({})
        if method == "PUT" and name in self._writers:
            return self._written(name, body)
        if method == "GET" and name in self._readers:
            return Answer.of_json(self._readers[name]())
        return Answer.of_json({"error": f"there is no {method} {path}"}, 404)

    def _written(self, name: str, body: bytes) -> Answer:
        try:
            self._writers[name](_list_of(body))
        except (ValueError, TypeError, AttributeError) as error:
            return Answer.of_json({"error": str(error)}, 400)
        return Answer.of_json(self._readers[name]())

    def _replace_log(self, entries: list[Any]) -> None:
        self._log.entries[:] = entries

    async def _reset(self) -> None:
        await self._cloud.reset()
        self._faults.listed.clear()
        self._log.entries.clear()
        await self._reset_backend()


def _list_of(body: bytes) -> list[Any]:
    listed = json.loads(body or b"[]")
    if not isinstance(listed, list):
        raise TypeError("a list is expected")
    return listed
