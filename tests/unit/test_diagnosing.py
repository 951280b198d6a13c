"""A stall and a failure are diagnosed once each, told in the log and the record, and carried into the outcome."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import httpx
import pytest

from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.finding import Finding, Suspect
from interlock.models.notice import NoticeKind
from interlock.models.outcome import Outcome
from interlock.models.stack import Failure, StackEvent
from interlock.monitoring.progress import ResourceProgress, ResourceState, Stage
from interlock.monitoring.stall import Stall, StallLevel
from interlock.monitoring.watcher import Observation
from tasks import diagnosing, monitoring
from tests.unit.cloudformation.test_failures import START, line

ENVIRONMENT = Environment(name="staging", stack_name="app", region="eu-west-1")
DEPLOYMENT = Deployment(
    correlation_id="20260114-000000-00000001",
    environment="staging",
    stack_name="app",
    region="eu-west-1",
    asked_at=START,
    started_at=START,
    updated_at=START,
)
FOUND = (Finding(text="0 of 2 tasks run", url="https://console.example/ecs", label="ECS service web"),)
RUNNING = line(2, "Web", "CREATE_IN_PROGRESS", physical_id="arn:web", resource_type="AWS::ECS::Service")
FAILED = line(3, "Web", "CREATE_FAILED", "did not stabilize", physical_id="arn:web", resource_type="AWS::ECS::Service")
STALL = Stall(
    stage=Stage.DEPLOYING,
    level=StallLevel.WARNING,
    quiet_seconds=720,
    overdue=(ResourceProgress(logical_id="Web", resource_type="AWS::ECS::Service", state=ResourceState.RUNNING),),
)


@dataclass
class FakeDiagnosis:
    stalled: list[Suspect] = field(default_factory=list)
    failed: list[Suspect] = field(default_factory=list)

    def of(self, suspects: Iterator[Suspect]) -> tuple[Finding, ...]:
        self.stalled += suspects
        return FOUND

    def of_failure(self, suspect: Suspect) -> tuple[Finding, ...]:
        self.failed.append(suspect)
        return FOUND


@dataclass
class World:
    diagnosis: FakeDiagnosis = field(default_factory=FakeDiagnosis)
    record: Mock = field(default_factory=Mock)

    def installation(self) -> Any:
        return SimpleNamespace(
            clock=lambda: START,
            environment_of=lambda _deployment: ENVIRONMENT,
            diagnosis=lambda _environment: self.diagnosis,
            registry=SimpleNamespace(deployments=SimpleNamespace(record=self.record)),
        )

    def recorded(self) -> tuple[list[tuple[str, str]], list[Any]]:
        """The events and the notices of the last write."""
        written = self.record.call_args.kwargs
        return [(event.event, event.details) for event in written["events"]], written["notices"]


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    with (
        patch.object(diagnosing, "installation", world.installation),
        patch.object(monitoring, "installation", world.installation),
        patch.object(monitoring, "notify"),
        patch("tasks.artifacts.client", side_effect=httpx.ConnectError("away")),
    ):
        yield world


def seen(*events: StackEvent, new: tuple[StackEvent, ...] = (), stall: Stall | None = None) -> Observation:
    return Observation(observed_at=START, events=events, new_events=new, stall=stall)


def test_a_stall_is_diagnosed_once_and_told_in_notice_record_and_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = monitoring.Reporter(DEPLOYMENT)
    logger = logging.getLogger("prefect.interlock")
    logger.addHandler(caplog.handler)
    reporter.report(seen(RUNNING, stall=STALL))
    events, notices = world.recorded()
    reporter.report(seen(RUNNING, stall=STALL))
    logger.removeHandler(caplog.handler)

    assert [each.physical_id for each in world.diagnosis.stalled] == ["arn:web"]
    assert events == [("DIAGNOSIS", "0 of 2 tasks run https://console.example/ecs")]
    assert notices[0].kind is NoticeKind.STALLED
    assert notices[0].facts["diagnosis"] == ["0 of 2 tasks run"]
    assert notices[0].facts["diagnosis_links"] == {"ECS service web": "https://console.example/ecs"}
    assert "Diagnosis: 0 of 2 tasks run https://console.example/ecs" in caplog.messages
    assert world.record.call_count == 1


def test_a_failure_is_diagnosed_at_its_first_sight_and_not_again(world: World) -> None:
    reporter = monitoring.Reporter(DEPLOYMENT)
    reporter.report(seen(RUNNING, FAILED, new=(FAILED,)))
    events, _ = world.recorded()
    later = line(4, "Other", "CREATE_FAILED", "LimitExceeded")
    reporter.report(seen(RUNNING, FAILED, later, new=(later,)))
    assert [each.logical_id for each in world.diagnosis.failed] == ["Web"]
    assert ("DIAGNOSIS", FOUND[0].line) in events


def test_a_cancellation_alone_is_not_diagnosed(world: World) -> None:
    cancelled = line(3, "Web", "CREATE_FAILED", "Resource creation cancelled", resource_type="AWS::ECS::Service")
    monitoring.Reporter(DEPLOYMENT).report(seen(cancelled, new=(cancelled,)))
    assert world.diagnosis.failed == []


def test_the_outcome_carries_what_was_found_of_its_first_cause(world: World) -> None:
    cause = Failure(
        logical_id="Web",
        resource_type="AWS::ECS::Service",
        status="CREATE_FAILED",
        reason="did not stabilize",
        timestamp=START,
        stack_name="app",
        stack_id=FAILED.stack_id,
        physical_id="arn:web",
    )
    outcome = diagnosing.with_findings(Outcome(status=DeploymentStatus.FAILED, first_cause=cause), ENVIRONMENT)
    assert outcome.findings == FOUND
    assert world.diagnosis.failed == [Suspect.of(FAILED)], "the monitor's suspect: asked once for both"
    succeeded = Outcome(status=DeploymentStatus.SUCCEEDED)
    assert diagnosing.with_findings(succeeded, ENVIRONMENT) is succeeded
