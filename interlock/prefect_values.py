"""What Prefect's REST API answers, as values: flow runs, log lines, artifacts, refusals."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from interlock.correlation_id import is_correlation_id, unmarked

if TYPE_CHECKING:
    import httpx

OPEN_STATES = ("SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING")
"""Types of the states that a run has before it has ended."""


@dataclass(frozen=True)
class FlowRun:
    """A flow run as Prefect shows it. `is_reused` is set when an idempotency key found an earlier run."""

    id: str
    name: str
    state_type: str
    state_name: str
    message: str | None = None
    parameters: Mapping[str, Any] | None = None
    is_reused: bool = False
    created_at: datetime | None = None
    started_at: datetime | None = None

    @property
    def correlation_id(self) -> str | None:
        """The deployment's, once the flow has put it into its run's name (`<environment> <correlation id>`)."""
        last_word = self.name.rpartition(" ")[2]
        return last_word if is_correlation_id(last_word) else None

    @property
    def is_final(self) -> bool:
        return self.state_type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    @property
    def is_waiting_for_a_process(self) -> bool:
        return self.state_type in ("SCHEDULED", "PENDING")

    @property
    def is_suspended(self) -> bool:
        """It waits for a person, without a process."""
        return self.state_type == "PAUSED"

    @property
    def is_being_cancelled(self) -> bool:
        return self.state_type in ("CANCELLING", "CANCELLED")


@dataclass(frozen=True)
class LogLine:
    """One line of a flow run's log. `level` is Python's: 20 information, 30 warning, 40 error."""

    id: str
    timestamp: datetime
    level: int
    logger: str
    message: str


@dataclass(frozen=True)
class Artifact:
    """An artifact of a flow run. `data` is what the flow gave it, decoded."""

    key: str
    data: Any
    description: str | None = None


def flow_run(body: Mapping[str, Any], *, is_reused: bool = False) -> FlowRun:
    state = body.get("state") or {}
    return FlowRun(
        id=str(body["id"]),
        name=str(body["name"]),
        state_type=str(state.get("type") or body.get("state_type") or "PENDING"),
        state_name=str(state.get("name") or body.get("state_name") or "Pending"),
        message=state.get("message"),
        parameters=body.get("parameters"),
        is_reused=is_reused,
        created_at=_moment(body.get("created")),
        started_at=_moment(body.get("start_time")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def log_line(body: Mapping[str, Any]) -> LogLine:
    moment = datetime.fromisoformat(body["timestamp"])
    return LogLine(str(body["id"]), moment, int(body["level"]), str(body["name"]), unmarked(str(body["message"])))


def artifact(body: Mapping[str, Any]) -> Artifact:
    data = body["data"]
    with suppress(ValueError):  # some types are stored as the text of their JSON; what is no JSON is the data itself
        while isinstance(data, str):
            data = json.loads(data)
    return Artifact(str(body["key"]), data, body.get("description"))


def refusal(response: "httpx.Response") -> str:
    """Why Prefect refused a call, in its words, without the input that it may repeat (a template, a password)."""
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    details = body.get("exception_detail")
    if isinstance(details, list):
        return "; ".join(str(item.get("msg", "")).removeprefix("Value error, ") for item in details)
    return str(body.get("detail") or body.get("exception_message") or f"HTTP {response.status_code}")
