from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.lock import Lock
from interlock.models.queue import Hold, Ticket
from interlock.models.stack import Operation, Stack
from interlock.monitoring.estimate import Estimate
from interlock.monitoring.status_report import Reason, Situation, status_report
from tests.unit.monitoring.replay import line

NOW = datetime(2026, 1, 14, 22, 4, 32, tzinfo=UTC)
OURS = "20260114-215432-375a1384"
ENVIRONMENT = Environment(name="production", stack_name="app", region="eu-west-1")


def stack(status: str) -> Stack:
    return Stack(name="app", stack_id="arn:stack/app/1", status=status)


def operation(token: str | None, status: str = "UPDATE_IN_PROGRESS") -> Operation:
    return Operation(token=token, started_at=NOW - timedelta(minutes=4), status=status)


def hold(seconds_left: float = 60) -> Hold:
    expires_at = NOW + timedelta(seconds=seconds_left)
    return Hold(environment="production", owner=OURS, fence=3, granted_at=NOW, expires_at=expires_at)


def deployment(status: DeploymentStatus = DeploymentStatus.IN_PROGRESS) -> Deployment:
    started_at = NOW - timedelta(minutes=10)
    return Deployment(
        correlation_id=OURS,
        environment="production",
        stack_name="app",
        region="eu-west-1",
        status=status,
        started_at=started_at,
        updated_at=NOW,
        asked_at=started_at,
        operation_token=OURS,
    )


TICKET = Ticket(
    environment="production",
    correlation_id="20260114-220000-00000001",
    asked_at=NOW - timedelta(minutes=3),
    expires_at=NOW + timedelta(seconds=9),
)
LOCK = Lock(environment="production", by="ada", reason="audit", since=NOW)
DEAD_TICKET = TICKET.model_copy(update={"expires_at": NOW})


@pytest.mark.parametrize(
    ("facts", "reason", "can_deploy"),
    [
        ({"stack": None}, Reason.READY, True),
        ({"stack": stack("UPDATE_COMPLETE"), "operation": operation(OURS, "UPDATE_COMPLETE")}, Reason.READY, True),
        ({"stack": stack("ROLLBACK_COMPLETE")}, Reason.READY, True),
        ({"stack": stack("REVIEW_IN_PROGRESS")}, Reason.READY, True),
        ({"stack": None, "hold": hold(0)}, Reason.READY, True),
        ({"stack": None, "tickets": (DEAD_TICKET,)}, Reason.READY, True),
        ({"stack": None, "hold": hold(), "deployment": deployment()}, Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS, False),
        (
            {"stack": stack("UPDATE_IN_PROGRESS"), "operation": operation(OURS), "deployment": deployment()},
            Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS,
            False,
        ),
        (
            {"stack": stack("UPDATE_ROLLBACK_IN_PROGRESS"), "operation": operation(f"{OURS}-cancel")},
            Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS,
            False,
        ),
        (
            {"stack": stack("REVIEW_IN_PROGRESS"), "operation": operation(OURS, "CREATE_IN_PROGRESS")},
            Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS,
            False,
        ),
        (
            {"stack": stack("UPDATE_IN_PROGRESS"), "operation": operation("Console-Update-1")},
            Reason.FOREIGN_OPERATION_IN_PROGRESS,
            False,
        ),
        ({"stack": stack("UPDATE_IN_PROGRESS")}, Reason.FOREIGN_OPERATION_IN_PROGRESS, False),
        ({"stack": None, "hold": hold()}, Reason.ENVIRONMENT_LOCKED, False),
        ({"stack": None, "tickets": (TICKET,)}, Reason.ENVIRONMENT_LOCKED, False),
        ({"stack": stack("UPDATE_ROLLBACK_FAILED")}, Reason.STACK_NEEDS_RECOVERY, False),
        ({"stack": None, "is_registry_available": False}, Reason.REGISTRY_UNAVAILABLE, True),
        ({"stack": None, "lock": LOCK}, Reason.ENVIRONMENT_LOCKED, False),
        ({"stack": None, "lock": LOCK, "is_registry_available": False}, Reason.ENVIRONMENT_LOCKED, False),
        (
            {"stack": None, "lock": LOCK, "hold": hold(), "deployment": deployment()},
            Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS,
            False,
        ),
        ({"stack": stack("UPDATE_IN_PROGRESS"), "lock": LOCK}, Reason.FOREIGN_OPERATION_IN_PROGRESS, False),
        (
            {"stack": stack("UPDATE_IN_PROGRESS"), "is_registry_available": False},
            Reason.FOREIGN_OPERATION_IN_PROGRESS,
            False,
        ),
    ],
)
def test_the_reason_says_what_is_in_the_way(facts: dict[str, Any], reason: Reason, can_deploy: bool) -> None:
    report = status_report(Situation(environment=ENVIRONMENT, now=NOW, **facts))
    assert (report.reason, report.can_deploy) == (reason, can_deploy)
    assert (report.active_deployment is not None) == reason.endswith("IN_PROGRESS")


def test_the_report_shows_who_runs_since_when_and_who_waits() -> None:
    situation = Situation(
        environment=ENVIRONMENT,
        now=NOW,
        stack=stack("CREATE_IN_PROGRESS"),
        operation=operation(OURS),
        hold=hold(),
        tickets=(TICKET,),
        deployment=deployment(),
        estimate=Estimate(p50_seconds=900, p90_seconds=1200),
        recent_events=(line(1, "Service", "CREATE_COMPLETE"), line(2, "Db", "CREATE_IN_PROGRESS")),
    )
    shown = status_report(situation).model_dump(mode="json")
    assert shown["active_deployment"] == {
        "correlation_id": OURS,
        "started_at": "2026-01-14T21:54:32Z",
        "elapsed_minutes": 10,
        "estimated_remaining_minutes": 15,
        "current_status": "CREATE_IN_PROGRESS",
        "recent_events": ["Service: CREATE_COMPLETE", "Db: CREATE_IN_PROGRESS"],
    }
    assert [(each["correlation_id"], each["position"], each["waiting_minutes"]) for each in shown["queue"]] == [
        ("20260114-220000-00000001", 1, 3)
    ]


def test_the_lock_is_shown_whatever_else_goes_on() -> None:
    situation = Situation(environment=ENVIRONMENT, now=NOW, stack=stack("UPDATE_IN_PROGRESS"), lock=LOCK)
    assert status_report(situation).lock == LOCK
