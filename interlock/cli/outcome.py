"""How a deployment ended, as its flow run tells: by the outcome artifact or, without one, by its final state."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from interlock.errors import ExitCode, InterlockError, InvalidRequestError, PrefectUnreachableError
from interlock.prefect_api import PrefectApi
from interlock.prefect_values import FlowRun

OUTCOME_KEY = "interlock-outcome"

_EXIT_CODES = {
    "SUCCEEDED": ExitCode.SUCCEEDED,
    "NO_CHANGES": ExitCode.SUCCEEDED,
    "COMPLETED": ExitCode.SUCCEEDED,
    "REQUESTED": ExitCode.SUCCEEDED,
    "REJECTED": ExitCode.ALREADY_IN_PROGRESS,
    "TIMED_OUT": ExitCode.WAITED_TOO_LONG,
    "SUPERSEDED": ExitCode.SUPERSEDED_OR_CANCELLED,
    "CANCELLED": ExitCode.SUPERSEDED_OR_CANCELLED,
    "DENIED": ExitCode.SUPERSEDED_OR_CANCELLED,
    "EXPIRED": ExitCode.SUPERSEDED_OR_CANCELLED,
    "CANCELLING": ExitCode.SUPERSEDED_OR_CANCELLED,
    "INVALID": ExitCode.INVALID_REQUEST,
    "STILL_RUNNING": ExitCode.STILL_RUNNING,
    "UNREACHABLE": ExitCode.NO_PREFECT,
}
"""Every other status is a failure."""

_WAIT_SECONDS = {"COMPLETED": 1.0, "FAILED": 4.0, "CRASHED": 15.0, "CANCELLED": 6.0}
"""How long an outcome may come after the final state. A run that died is settled from another process, which may also
set it going again, to see its operation through: then the state was not final after all."""

_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Outcome:
    """`facts` is the outcome artifact's data, passed through whole: whoever parses the JSON gets all of it."""

    status: str
    exit_code: int
    environment: str
    flow_run_id: str | None = None
    flow_run_url: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def reason(self) -> str | None:
        return self.facts.get("reason") or None

    @property
    def correlation_id(self) -> str | None:
        return self.facts.get("correlation_id") or None

    @property
    def problems(self) -> list[str]:
        return [str(problem) for problem in self.facts.get("problems") or []]

    @property
    def outputs(self) -> dict[str, str]:
        return {str(key): str(value) for key, value in (self.facts.get("outputs") or {}).items()}

    @property
    def first_cause(self) -> Mapping[str, Any]:
        return self.facts.get("first_cause") or {}

    def parts(self, name: str) -> list[Mapping[str, Any]]:
        """A fact that is a list of objects; empty if it is absent."""
        return [part for part in self.facts.get(name) or [] if isinstance(part, Mapping)]

    def as_json(self) -> dict[str, Any]:
        return {
            **self.facts,
            "status": self.status,
            "exit_code": int(self.exit_code),
            "environment": self.environment,
            "flow_run_id": self.flow_run_id,
            "flow_run_url": self.flow_run_url,
        }


def make(
    status: str,
    environment: str,
    facts: Mapping[str, Any] | None = None,
    *,
    api: PrefectApi | None = None,
    run: FlowRun | None = None,
) -> Outcome:
    """An outcome that this client can tell by itself, of a run if there is one yet."""
    exit_code = _EXIT_CODES.get(status, ExitCode.FAILED)
    if api is None or run is None:
        return Outcome(status, exit_code, environment, facts=facts or {})
    known = {"correlation_id": run.correlation_id, **(facts or {})}
    return Outcome(status, exit_code, environment, run.id, api.flow_run_url(run.id), known)


def of_error(error: InterlockError, environment: str) -> Outcome:
    """What an error before the run's end is to whoever reads the outcome alone."""
    names = {ExitCode.INVALID_REQUEST: "INVALID", ExitCode.NO_PREFECT: "UNREACHABLE"}
    problems = error.problems if isinstance(error, InvalidRequestError) else []
    reason = error.message.strip().partition("\n")[0]
    return make(names.get(error.exit_code, "FAILED"), environment, {"reason": reason, "problems": problems})


def read(
    api: PrefectApi,
    run: FlowRun,
    environment: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome | None:
    """The outcome of a run that has ended, or None if it has been set going again."""
    deadline = clock() + _WAIT_SECONDS[run.state_type]
    while True:
        try:
            found = api.artifacts([run.id], [OUTCOME_KEY]).get(OUTCOME_KEY)
            if found and isinstance(found.data, dict):
                return _of_artifact(api, run, environment, found.data)
            run = api.flow_run(run.id)
            if not run.is_final:
                return None
        except PrefectUnreachableError:
            pass  # the final state is known: a server that is away costs the details, below
        if clock() >= deadline:
            return _of_state(api, run, environment)
        sleep(_PAUSE_SECONDS)


def _of_artifact(api: PrefectApi, run: FlowRun, environment: str, data: dict[str, Any]) -> Outcome:
    outcome = make(str(data.get("status", "FAILED")), environment, data, api=api, run=run)
    exit_code = data.get("exit_code")
    return replace(outcome, exit_code=exit_code) if exit_code in list(ExitCode) else outcome


def _of_state(api: PrefectApi, run: FlowRun, environment: str) -> Outcome:
    """The state's name is the status in words (`Rolled Back`), unless Prefect itself ended the run (`Crashed`)."""
    by_name = run.state_name.upper().replace(" ", "_")
    status = by_name if by_name in _EXIT_CODES or by_name == "ROLLED_BACK" else run.state_type
    told = f": {run.message}" if run.message else ""
    reason = f"The flow run ended as {run.state_name}{told}. It left no outcome, so this is all that is known of it."
    return make(status, environment, {"reason": reason}, api=api, run=run)
