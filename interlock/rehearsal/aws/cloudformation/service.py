"""The CloudFormation API: from an HTTP request to an HTTP answer."""

import asyncio
import logging
from typing import Any

from interlock.rehearsal.aws.cloudformation import (
    backend,
    change_set_actions,
    drift,
    reading_actions,
    stack_actions,
    wire,
)
from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.errors import RefusalError
from interlock.rehearsal.aws.cloudformation.request import Action, Request

_log = logging.getLogger(__name__)
_ACTIONS: dict[str, Action] = {
    **stack_actions.ACTIONS,
    **change_set_actions.ACTIONS,
    **reading_actions.ACTIONS,
    **drift.ACTIONS,
}


class CloudFormation:
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._warming: asyncio.Task[Any] | None = None

    async def answer(self, account: str, region: str, body: bytes) -> tuple[int, bytes]:
        """The status and the XML of the answer."""
        if self._warming is None:  # the first call is seldom the one that needs the provisioners
            self._warming = asyncio.create_task(asyncio.to_thread(backend.warm_up))
        fields = wire.parse_form(body)
        action = str(fields.pop("Action", ""))
        try:
            result = await _action(action)(Request(self._cloud, account, region, fields))
        except RefusalError as error:
            return error.status, wire.refusal(error)
        except Exception:  # noqa: BLE001 - a template nobody thought of must not look like a broken connection
            _log.exception("The simulator itself failed in %s", action)
            return 500, wire.refusal(
                RefusalError("InternalFailure", "The simulated AWS failed; its log says why.", 500)
            )
        return 200, wire.answer(action, result)


def _action(name: str) -> Action:
    if name not in _ACTIONS:
        raise RefusalError("InvalidAction", f"Could not find operation {name} for version 2010-05-15")
    return _ACTIONS[name]
