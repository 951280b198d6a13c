"""Every AWS call that arrived, in order: what a test or a rehearsal's report looks at afterwards."""

import re
import time
from collections.abc import Callable
from typing import Any

from interlock.rehearsal.aws.call import Call

Json = dict[str, Any]
_STACK_ARN = re.compile(r"arn:[^:]+:cloudformation:[^:]*:[^:]*:stack/([^/]+)")


class RequestLog:
    def __init__(self, stack_of_change_set: Callable[[str], str | None]) -> None:
        self.entries: list[Json] = []
        self._stack_of_change_set = stack_of_change_set

    def begin(self, call: Call) -> Json:
        """An entry for a call that has just arrived; its `status` follows with the answer."""
        entry: Json = {
            "t": round(time.time(), 3),
            "service": call.service,
            "action": call.action,
            "stack": self._stack_of(call.fields) if call.service == "cloudformation" else None,
            "token": call.fields.get("ClientRequestToken"),
            "user_agent": call.user_agent,
            "status": None,
            "fault": None,
        }
        self.entries.append(entry)
        return entry

    def _stack_of(self, fields: Json) -> str | None:
        name = fields.get("StackName") or fields.get("StackId")
        if not name:
            return self._stack_of_change_set(str(fields.get("ChangeSetName", "")))
        arn = _STACK_ARN.match(name)
        return arn[1] if arn else str(name)
