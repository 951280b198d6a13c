"""Prefect at the edge: a run that goes through given states, with a log and artifacts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from interlock.errors import PrefectUnreachableError
from interlock.prefect_values import Artifact, FlowRun, LogLine

RUN_ID = "9194bf82-2048-4a56-9241-464c64ddeea0"
CORRELATION_ID = "20261124-060457-9b921236"


def run(state: str, name: str = f"staging {CORRELATION_ID}", words: str | None = None, **more: Any) -> FlowRun:
    return FlowRun(id=RUN_ID, name=name, state_type=state, state_name=words or state.title(), **more)


def away() -> PrefectUnreachableError:
    return PrefectUnreachableError("Prefect does not answer at http://prefect.test/api (HTTP 503).")


def line(message: str, *, level: int = 20, logger: str = "prefect.flow_runs", identity: str | None = None) -> LogLine:
    return LogLine(identity or message, datetime(2026, 11, 24, 6, 5, tzinfo=UTC), level, logger, message)


def outcome(**facts: Any) -> Artifact:
    data = {"status": "SUCCEEDED", "exit_code": 0, "correlation_id": CORRELATION_ID, "environment": "staging", **facts}
    return Artifact("interlock-outcome", data)


@dataclass
class FakePrefect:
    """`states` are given in turn, the last for ever; an exception among them is raised, a callable is called."""

    states: Sequence[FlowRun | Exception | Callable[[], FlowRun]] = field(
        default_factory=lambda: [run("COMPLETED", words="Succeeded")]
    )
    lines: list[LogLine] = field(default_factory=list)
    found: dict[str, Artifact] = field(default_factory=dict)
    created: list[dict[str, Any]] = field(default_factory=list)
    first: FlowRun = field(default_factory=lambda: run("SCHEDULED", name="jolly-lemur"))
    cancelled: list[tuple[str, str]] = field(default_factory=list)
    ended: list[FlowRun] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)
    looks: int = 0
    log_reads: int = 0

    def flow_run_url(self, flow_run_id: str) -> str:
        return f"http://prefect.test/runs/flow-run/{flow_run_id}"

    def deployment_id(self, environment: str) -> str:
        return f"deployment of {environment}"

    def create_flow_run(
        self, deployment_id: str, parameters: Mapping[str, Any], *, idempotency_key: str, tags: Sequence[str] = ()
    ) -> FlowRun:
        self.created.append(
            {"deployment": deployment_id, "parameters": dict(parameters), "key": idempotency_key, "tags": list(tags)}
        )
        return self.first

    def flow_run(self, _flow_run_id: str) -> FlowRun:
        state = self.states[min(self.looks, len(self.states) - 1)]
        self.looks += 1
        if isinstance(state, Exception):
            raise state
        return state if isinstance(state, FlowRun) else state()

    def flow_run_of(self, correlation_id: str) -> FlowRun:
        return replace(run("RUNNING"), name=f"staging {correlation_id}")

    def ended_runs(self, _deployment_id: str, states: Sequence[str]) -> list[FlowRun]:
        return [each for each in self.ended if each.state_name in states]

    def with_subflows(self, flow_run_id: str) -> list[str]:
        return [flow_run_id, "its monitor"]

    def logs(self, _flow_run_ids: Sequence[str], *, since: datetime | None = None) -> list[LogLine]:  # noqa: ARG002 - as the real one
        self.log_reads += 1
        return self.lines

    def artifacts(self, _flow_run_ids: Sequence[str], keys: Sequence[str]) -> dict[str, Artifact]:
        return {key: self.found[key] for key in keys if key in self.found}

    def cancel(self, cancelled: FlowRun, *, reason: str) -> None:
        self.cancelled.append((cancelled.name, reason))

    def resume(self, _run: FlowRun, answer: Mapping[str, str]) -> None:
        self.answers.append(dict(answer))
