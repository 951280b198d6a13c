"""What people see of a deployment in the Prefect UI beside its log: changes, progress, outcome.

One artifact of a kind per run, updated in place, and one summary per deployment: a retried run has several. Prefect's
server may be away: the deployment goes on without them.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey

from interlock.errors import TemporaryError
from interlock.models.deployment import Deployment
from interlock.models.drift import Drift, ResourceDrift
from interlock.models.outcome import Outcome
from interlock.models.stack import ChangeSet
from interlock.monitoring.resource_table import Row
from interlock.notices import announced_changes
from interlock.summary_page import summary_page
from interlock.wiring import installation
from tasks.prefect_side import best_effort, client, current_flow_run

OUTCOME_KEY = "interlock-outcome"
PROGRESS_KEY = "interlock-progress"
RESOURCES_KEY = "interlock-resources"
CHANGES_KEY = "interlock-changes"
DRIFT_KEY = "interlock-drift"
SUMMARY_KEY = "interlock-summary"
TABLE_SECONDS = 5
"""The table of resources is renewed no oftener than this, and once more at the end."""


def publish_outcome(deployment: Deployment, outcome: Outcome) -> None:
    """The JSON that clients read (`interlock deploy`, the GitHub action, a script with curl), and a page for people."""
    outcome = outcome.redacted(installation().redactor.redact)
    data = _essence(outcome) | {
        "correlation_id": deployment.correlation_id,
        "environment": deployment.environment,
        "outputs": outcome.outputs,
        "application_url": outcome.application_url,
        "duration_seconds": deployment.duration_seconds,
        "queue_seconds": deployment.queue_seconds,
        "no_changes": outcome.no_changes,
        "first_cause": outcome.first_cause.model_dump(mode="json") if outcome.first_cause else None,
        "also_failed": [each.model_dump(mode="json") for each in outcome.also_failed],
        "rollback_failures": [each.model_dump(mode="json") for each in outcome.rollback_failures],
        "next_step": outcome.next_step,
        "diagnosis": [each.model_dump(mode="json") for each in outcome.findings],
        "record": deployment.model_dump(mode="json"),
    }
    _publish(data, f"{outcome.title}: {deployment.correlation_id}", flow_run_id=deployment.flow_run_id)
    show_summary(deployment, outcome)


def show_summary(deployment: Deployment, outcome: Outcome | None = None) -> None:
    """The page for people: what is under way, with its links, until there is an outcome.

    Only from the steps of the flow and from whoever ends it, never beside them: an older page must not come last.
    """
    summary = _LivingArtifact("markdown", SUMMARY_KEY, deployment.flow_run_id, of=deployment.correlation_id)
    page = summary_page(
        deployment, outcome, changes=changes_on_record(deployment), slack_thread_url=_slack_thread_url(deployment)
    )
    summary.show(page, f"{outcome.title if outcome else 'Under way'}: {deployment.correlation_id}")


def changes_on_record(deployment: Deployment) -> Sequence[Mapping[str, Any]]:
    """As they were announced; none while the registry is away: people's pages go without."""
    try:
        return announced_changes(installation().registry.outbox.rows(deployment.correlation_id))
    except TemporaryError:
        return []


def _slack_thread_url(deployment: Deployment) -> str | None:
    try:
        thread = installation().registry.outbox.thread(deployment.correlation_id)
    except TemporaryError:
        return None
    return thread.url if thread else None


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
        "locked": outcome.locked,
    }


def _publish(data: dict[str, Any], description: str, *, flow_run_id: str | None) -> None:
    """For a run given by its id: hooks and the sweep publish for runs that are not theirs."""
    artifact = ArtifactCreate(
        type="result",  # for programs: Prefect's pages show no results among the artifacts
        key=OUTCOME_KEY,
        description=description,
        data=data,
        flow_run_id=UUID(flow_run_id) if flow_run_id else None,
    )
    with best_effort("the outcome"), client() as prefect:
        prefect.create_artifact(artifact)


def publish_changes(deployment: Deployment, change_set: ChangeSet) -> None:
    rows = [
        {
            "Action": change.action,
            "Resource": change.logical_id,
            "Type": change.resource_type,
            "Replacement": change.replacement or "",
        }
        for change in change_set.changes
    ]
    table = _LivingArtifact("table", CHANGES_KEY, deployment.flow_run_id)
    table.show(json.dumps(rows), f"What the change set of {deployment.correlation_id} would do")


def publish_drift(deployment: Deployment, drift: Drift) -> None:
    """One row a property; one for a resource of which none is known to differ, or that is gone."""
    rows = [row for resource in drift.resources for row in _drift_rows(resource)]
    _LivingArtifact("table", DRIFT_KEY, deployment.flow_run_id).show(json.dumps(rows), drift.in_words)


def _drift_rows(resource: ResourceDrift) -> list[dict[str, Any]]:
    about = {"Resource": resource.logical_id, "Type": resource.resource_type}
    if not resource.properties:
        what = "DELETED" if resource.is_deleted else "MODIFIED"
        return [{**about, "Property": "", "Expected": "", "Actual": "", "Difference": what}]
    return [
        {**about, "Property": each.path, "Expected": each.expected, "Actual": each.actual, "Difference": each.kind}
        for each in resource.properties
    ]


class _LivingArtifact:
    """One artifact of one run, updated in place; after a crash it is found again by its key, so that none piles up."""

    def __init__(self, kind: str, key: str, flow_run_id: str | None, *, of: str | None = None) -> None:
        self._kind, self._key, self._flow_run_id = kind, key, UUID(flow_run_id) if flow_run_id else None
        self._metadata = {"correlation_id": of} if of else None
        self._id: UUID | None = None

    def show(self, data: Any, description: str) -> None:
        with best_effort(f"the {self._kind}"), client() as prefect:
            self._id = self._id or self._earlier(prefect)
            if self._id:
                prefect.update_artifact(self._id, ArtifactUpdate(data=data, description=description))
            else:
                self._id = self._create(prefect, data, description)

    def _earlier(self, prefect: SyncPrefectClient) -> UUID | None:
        if self._flow_run_id is None:
            return None
        its_own = ArtifactFilter(
            key=ArtifactFilterKey(any_=[self._key]), flow_run_id=ArtifactFilterFlowRunId(any_=[self._flow_run_id])
        )
        found = prefect.read_artifacts(artifact_filter=its_own)
        return next((each.id for each in found if each.metadata_ == self._metadata), None)

    def _create(self, prefect: SyncPrefectClient, data: Any, description: str) -> UUID:
        artifact = ArtifactCreate(
            type=self._kind,
            key=self._key,
            description=description,
            data=data,
            metadata_=self._metadata,
            flow_run_id=self._flow_run_id,
        )
        return prefect.create_artifact(artifact).id


class ProgressArtifact:
    """The progress bar of one run."""

    def __init__(self, flow_run_id: str | None) -> None:
        self._artifact = _LivingArtifact("progress", PROGRESS_KEY, flow_run_id)

    def show(self, percent: float, description: str) -> None:
        self._artifact.show(percent, description)


class ResourceTable:
    """The table of one run's resources. It may be long, so it is renewed less often than the bar."""

    def __init__(self, flow_run_id: str | None) -> None:
        self._artifact = _LivingArtifact("table", RESOURCES_KEY, flow_run_id)
        self._shown_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self._shown_at is None or (now - self._shown_at).total_seconds() >= TABLE_SECONDS

    def show(self, rows: Sequence[Row], description: str, *, at: datetime) -> None:
        self._shown_at = at
        self._artifact.show(json.dumps(rows), description)
