"""A stand-in for the `deploy` flow: it keeps the contract between the flow and its clients, and touches nothing.

`parameters` say how it goes: Seconds, Steps, End (a status), Outcome=no, Die=yes. Run as a module, it serves itself as
`deploy/<first argument>`.
"""

import os
import signal
import sys
import time
from uuid import UUID

from prefect import State, flow, get_run_logger
from prefect.artifacts import Artifact, create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from interlock.clock import utc_now
from interlock.correlation_id import new_correlation_id
from interlock.models.deployment import DeploymentStatus
from interlock.models.outcome import Outcome


@flow(name="monitor")
def monitor(correlation_id: str, steps: int, seconds: float) -> None:
    """As in the real one, progress and its log lines belong to a run of their own."""
    log = get_run_logger()
    artifact = create_progress_artifact(progress=0, key="interlock-progress", description=f"0 of {steps} resources")
    assert isinstance(artifact, UUID)
    for step in range(1, steps + 1):
        time.sleep(seconds / steps)
        log.info("[%s] Resource%d CREATE_COMPLETE", correlation_id, step)
        update_progress_artifact(artifact, progress=100 * step / steps, description=f"{step} of {steps} resources")


@flow(name="deploy")
def deploy(
    environment: str,
    template: str,
    parameters: dict[str, str],
    capabilities: list[str],
    tags: dict[str, str],
    workflow_run_id: str | None = None,
    github_run_url: str | None = None,
    git_sha: str | None = None,
    actor: str | None = None,
) -> State:
    how = parameters
    assert (capabilities, tags, workflow_run_id, github_run_url, git_sha) == ([], {}, None, None, None)
    correlation_id = new_correlation_id(utc_now())
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), name=f"{environment} {correlation_id}")
    get_run_logger().info("[%s] asked for by %s: %d characters", correlation_id, actor, len(template))
    monitor(correlation_id, int(how.get("Steps", "2")), float(how.get("Seconds", "1")))
    if how.get("Die"):
        os.kill(os.getpid(), signal.SIGKILL)
    outcome = Outcome(status=DeploymentStatus(how.get("End", "SUCCEEDED")), outputs={"Url": "http://x.test"})
    if how.get("Outcome") != "no":
        _publish(outcome, environment, correlation_id)
    make = Failed if outcome.exit_code else Completed
    return make(name=outcome.title, message=outcome.reason)


def _publish(outcome: Outcome, environment: str, correlation_id: str) -> None:
    known = outcome.model_dump(mode="json")
    data = {**known, "exit_code": int(outcome.exit_code), "environment": environment, "correlation_id": correlation_id}
    Artifact(key="interlock-outcome", type="json", data=data).create()


if __name__ == "__main__":
    deploy.serve(name=sys.argv[1])
