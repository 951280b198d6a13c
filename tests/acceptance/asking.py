"""What a caller with nothing but HTTP does: look up the Prefect deployment, ask for a run, follow it."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from interlock.plain_http import NO_CERTIFICATES

FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
QUEUE = "AWS::SQS::Queue"


@dataclass(frozen=True)
class Asked:
    """A deployment that was asked for."""

    api_url: str
    flow_run_id: str

    def run(self) -> dict[str, Any]:
        answer: dict[str, Any] = call("GET", f"{self.api_url}/flow_runs/{self.flow_run_id}")
        return answer

    def wait(self, *, timeout_seconds: float = 120) -> dict[str, Any]:
        """The finished run."""
        deadline = time.monotonic() + timeout_seconds
        while (run := self.run())["state_type"] not in FINAL:
            assert time.monotonic() < deadline, f"{run['name']} is still {run['state_name']}\n{self.log()}"
            time.sleep(0.2)
        return run

    def wait_for_state(self, name: str, *, timeout_seconds: float = 120) -> None:
        """That state, whatever came before it: a run whose process was killed is Crashed until it is adopted."""
        deadline = time.monotonic() + timeout_seconds
        while (run := self.run())["state_name"] != name:
            assert time.monotonic() < deadline, f"{run['name']} is {run['state_name']}\n{self.log()}"
            time.sleep(0.2)

    def outcome(self) -> dict[str, Any]:
        return self._artifacts("interlock-outcome")[-1]

    def correlation_id(self) -> str:
        return str(self.run()["name"].split()[-1])

    def log(self) -> str:
        body = {"logs": {"flow_run_id": {"any_": [self.flow_run_id]}}, "sort": "TIMESTAMP_ASC"}
        lines = call("POST", f"{self.api_url}/logs/filter", body)
        return "\n".join(line["message"] for line in lines)

    def wait_for_log(self, text: str, *, timeout_seconds: float = 60) -> None:
        deadline = time.monotonic() + timeout_seconds
        while text not in self.log():
            assert time.monotonic() < deadline, f"{text!r} did not appear in:\n{self.log()}"
            time.sleep(0.2)

    def cancel(self) -> None:
        body = {"state": {"type": "CANCELLING"}}
        call("POST", f"{self.api_url}/flow_runs/{self.flow_run_id}/set_state", body)

    def resume(self, **answer: str) -> str:
        """What Prefect makes of the answer: ACCEPT, REJECT or ABORT."""
        body = {"run_input": answer}
        return str(call("POST", f"{self.api_url}/flow_runs/{self.flow_run_id}/resume", body)["status"])

    def _artifacts(self, key: str) -> list[dict[str, Any]]:
        body = {"artifacts": {"flow_run_id": {"any_": [self.flow_run_id]}, "key": {"any_": [key]}}}
        found = call("POST", f"{self.api_url}/artifacts/filter", body)
        return [artifact["data"] for artifact in found]


def ask(api_url: str, environment: str, template: str, **parameters: object) -> Asked:
    """Ask for a deployment."""
    return start(api_url, f"deploy/{environment}", {"environment": environment, "template": template, **parameters})


def sweep(api_url: str) -> None:
    """A sweep now, to its end; again if another one was running."""
    while start(api_url, "stall-sweep/scheduled", {}).wait()["state_name"] == "Skipped":
        time.sleep(1)


def start(api_url: str, name: str, parameters: dict[str, object]) -> Asked:
    """Asked once, by its key, however often it takes: Prefect's server answers 503 while its database is busy."""
    deployment = call("GET", f"{api_url}/deployments/name/{name}")
    body = {"parameters": parameters, "idempotency_key": uuid.uuid4().hex}
    return Asked(api_url, call("POST", f"{api_url}/deployments/{deployment['id']}/create_flow_run", body)["id"])


def call(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """Again while the server is busy (503, or no answer in time): every call here may be repeated."""
    deadline = time.monotonic() + 120
    while True:
        try:
            answer = httpx.request(method, url, json=body, timeout=30, verify=NO_CERTIFICATES)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                return answer.raise_for_status().json() if answer.content else None
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.3)


def chain(*seconds: float, delay: int = 0) -> str:
    """A template of queues, each after the one before, that take so many seconds each."""
    lines = ["Resources:"]
    for number, each in enumerate(seconds):
        after = f", DependsOn: R{number - 1}" if number else ""
        lines.append(
            f"  R{number}: {{Type: {QUEUE}{after}, Properties: {{DelaySeconds: {delay}}}, "
            f"Metadata: {{Rehearsal: {{Seconds: {each}}}}}}}"
        )
    return "\n".join(lines)
