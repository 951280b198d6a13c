"""Faults of the AWS API on demand: errors, lost answers, silence, answers cut short, delays."""

import asyncio
import json
from fnmatch import fnmatchcase
from typing import Any
from xml.sax.saxutils import escape

from interlock.rehearsal.aws.asgi import Answer
from interlock.rehearsal.aws.call import Call

Json = dict[str, Any]
KINDS = frozenset({"error", "after", "hang", "truncate", "delay"})
_KEYS = frozenset({"service", "action", "kind", "code", "message", "status", "times", "delay"})
_FOR_EVER_SECONDS = 86_400


class Faults:
    def __init__(self) -> None:
        self.listed: list[Json] = []

    def replace(self, faults: list[Json]) -> None:
        """Raises:
        ValueError: a fault has an unknown kind or key.
        """
        for fault in faults:
            if fault.get("kind") not in KINDS or fault.keys() - _KEYS:
                kinds, keys = ", ".join(sorted(KINDS)), ", ".join(sorted(_KEYS))
                raise ValueError(f"a fault needs a kind ({kinds}) and may have {keys}: {fault}")
        self.listed = [{"times": 1, **fault} for fault in faults]

    def take(self, call: Call) -> Json | None:
        """The first fault that fits the call; one use of it is spent (`times: -1` never is)."""
        for fault in self.listed:
            pattern = f"{fault.get('service', '*')}/{fault.get('action', '*')}"
            if fault["times"] != 0 and fnmatchcase(f"{call.service}/{call.action}", pattern):
                fault["times"] -= 1 if fault["times"] > 0 else 0
                return fault
        return None


async def wait(fault: Json) -> None:
    """The `delay` (seconds) of any kind, and the silence of `hang`."""
    await asyncio.sleep(_FOR_EVER_SECONDS if fault["kind"] == "hang" else float(fault.get("delay", 0)))


def error_answer(fault: Json, call: Call) -> Answer:
    """The error in the protocol of the service that is called."""
    code, message = str(fault.get("code", "InternalFailure")), str(fault.get("message", "Injected fault"))
    status = int(fault.get("status", 500))
    if call.protocol == "json":
        body = json.dumps({"__type": code, "message": message}).encode()
        return Answer(status, body, [(b"content-type", b"application/x-amz-json-1.0")])
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    if call.protocol == "query":
        error = f"<ErrorResponse>{error}<RequestId>rehearsal</RequestId></ErrorResponse>"
    return Answer.of_xml(status, error.encode())
