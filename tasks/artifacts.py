"""What people see of a deployment in the Prefect UI beside its log: changes, progress, outcome.

One artifact of a kind per run, updated in place. Prefect's server may be away: the deployment goes on without them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.client.schemas.actions import ArtifactCreate

from interlock.models.deployment import Deployment
from interlock.models.outcome import Outcome
from interlock.models.stack import ChangeSet
from tasks.prefect_side import best_effort, client, current_flow_run

OUTCOME_KEY = "interlock-outcome"
PROGRESS_KEY = "interlock-progress"
CHANGES_KEY = "interlock-changes"


def publish_outcome(deployment: Deployment, outcome: Outcome) -> None:
    """The JSON that clients read: `interlock deploy`, the GitHub action, a script with curl."""
    data = _essence(outcome) | {
        "correlation_id": deployment.correlation_id,
        "environment": deployment.environment,
        "outputs": outcome.outputs,
        "application_url": outcome.application_url,
        "duration_seconds": deployment.duration_seconds,
        "queue_seconds": deployment.queue_seconds,
        "no_changes": outcome.no_changes,
        "first_cause": outcome.first_cause.model_dump(mode="json") if outcome.first_cause else None,
        "record": deployment.model_dump(mode="json"),
    }
    _publish(data, f"{outcome.title}: {deployment.correlation_id}", flow_run_id=deployment.flow_run_id)


def publish_refusal(environment: str, outcome: Outcome) -> None:
    """The same for a request that never became a deployment (there is no such environment)."""
    data = _essence(outcome) | {"correlation_id": None, "environment": environment}
    _publish(data, outcome.title, flow_run_id=str(current_flow_run().id))


def _essence(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": "INVALID" if outcome.problems else outcome.status.value,
        "exit_code": int(outcome.exit_code),
        "reason": outcome.reason,
        "problems": list(outcome.problems),
    }


def _publish(data: dict[str, Any], description: str, *, flow_run_id: str | None) -> None:
    """For a run given by its id: hooks and the sweep publish for runs that are not theirs."""
    artifact = ArtifactCreate(
        type="json",
        key=OUTCOME_KEY,
        description=description,
        data=data,
        flow_run_id=UUID(flow_run_id) if flow_run_id else None,
    )
    with best_effort("the outcome"), client() as prefect:
        prefect.create_artifact(artifact)


def publish_changes(change_set: ChangeSet) -> None:
    rows: Sequence[dict[str, Any]] = [
        {
            "Action": change.action,
            "Resource": change.logical_id,
            "Type": change.resource_type,
            "Replacement": change.replacement or "",
        }
        for change in change_set.changes
    ]
    with best_effort("the table of changes"):
        create_table_artifact(
            key=CHANGES_KEY, table=[dict(row) for row in rows], description="What the change set would do"
        )


class ProgressArtifact:
    """The progress bar of one run."""

    def __init__(self) -> None:
        self._id: UUID | None = None

    def show(self, percent: float, description: str) -> None:
        with best_effort("the progress"):
            if self._id is None:
                self._id = _created(create_progress_artifact(percent, key=PROGRESS_KEY, description=description))
            else:
                update_progress_artifact(self._id, progress=percent, description=description)


def _created(artifact_id: Any) -> UUID:
    """Prefect types its synchronous calls as if they might be awaited."""
    return UUID(str(artifact_id))
