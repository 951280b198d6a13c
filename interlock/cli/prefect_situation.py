"""The status report as far as Prefect's API knows it: for a CI that reaches neither the registry nor AWS.

It has the same names as the whole report. What Prefect cannot know (a stranger's operation, a stack that needs a person)
the deployment itself finds out, first of all.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from interlock.cli.display import Progress
from interlock.cli.follow import PROGRESS_KEY

if TYPE_CHECKING:
    from interlock.prefect_api import PrefectApi
    from interlock.prefect_values import FlowRun

_WARNING = "asked of Prefect alone: neither the stack nor locks nor operations that are not Interlock's are seen"


def look(api: "PrefectApi", environment: str, *, now: datetime) -> dict[str, Any]:
    """The report; the oldest run that has not ended counts as the active one, the others are its queue.

    Raises:
        UnknownEnvironmentError: Prefect has no such environment.
        PrefectUnreachableError: nobody answers.
    """
    every = api.open_runs(api.deployment_id(environment))
    runs = [run for run in every if not run.is_suspended]
    return {
        "environment": environment,
        "can_deploy": not runs,
        "reason": "ACTIVE_DEPLOYMENT_IN_PROGRESS" if runs else "READY",
        "stack_name": None,
        "stack_status": None,
        "active_deployment": _active(api, runs[0], now) if runs else None,
        "queue": [_queued(run, position, now) for position, run in enumerate(runs[1:], start=1)],
        "awaiting_approval": [_unapproved(run, now) for run in every if run.is_suspended],
        "warnings": [_WARNING],
    }


def _active(api: "PrefectApi", run: "FlowRun", now: datetime) -> dict[str, Any]:
    found = api.artifacts(api.with_subflows(run.id), [PROGRESS_KEY]).get(PROGRESS_KEY)
    since = run.started_at or run.created_at
    return {
        "correlation_id": run.correlation_id or run.id,
        "started_at": since.isoformat() if since else None,
        "elapsed_minutes": _minutes(since, now),
        "estimated_remaining_minutes": None,
        "current_status": Progress.of(run, found).phase,
        "recent_events": [],
    }


def _queued(run: "FlowRun", position: int, now: datetime) -> dict[str, Any]:
    return {
        "correlation_id": run.correlation_id or run.id,
        "position": position,
        "asked_at": run.created_at.isoformat() if run.created_at else None,
        "waiting_minutes": _minutes(run.created_at, now) or 0,
    }


def _unapproved(run: "FlowRun", now: datetime) -> dict[str, Any]:
    """Since when, until when and for which changes, the registry knows."""
    return {
        "correlation_id": run.correlation_id or run.id,
        "requested_at": None,
        "expires_at": None,
        "waiting_minutes": _minutes(run.created_at, now) or 0,
        "changes": None,
    }


def _minutes(since: datetime | None, now: datetime) -> int | None:
    return max(0, int((now - since).total_seconds() // 60)) if since else None
