"""What is made of a deployment whose process is gone: closed if its end can be known, never guessed at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from interlock.cloudformation.gateway import CloudFormation
from interlock.errors import CloudFormationUnavailableError, HoldLostError
from interlock.models.approval import Decision
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment, OnCancel
from interlock.models.stack import Stack, StackEvent
from interlock.recovery import Recovery, Settled, Verdict
from interlock.registry import Registry, open_registry
from interlock.timing import HOLD_LIFETIME_SECONDS, NEVER_STARTED_SECONDS, STACKS_LEFT_SECONDS
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, approval, cid, claim, enqueue

ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1"
ME = cid(1)


@dataclass
class FakeCloudFormation:
    """One stack as CloudFormation shows it; what is called on it is kept."""

    clock: FrozenClock
    status: str | None = "UPDATE_IN_PROGRESS"
    event_statuses: list[str] = field(default_factory=lambda: ["UPDATE_IN_PROGRESS"])
    fails: bool = False
    ended_seconds_ago: float = 0
    status_meanwhile: str | None = None
    """What the stack has come to by the time that its events are read."""
    calls: list[str] = field(default_factory=list)

    def stack(self, _name: str) -> Stack | None:
        if self.fails:
            raise CloudFormationUnavailableError("Rate exceeded")
        return Stack(name="app", stack_id=ID, status=self.status, outputs={"Url": "http://x"}) if self.status else None

    def events_of_operation(self, _stack_id: str, token: str) -> list[StackEvent]:
        self.status = self.status_meanwhile or self.status
        return [
            StackEvent(
                event_id=str(number),
                timestamp=self.clock() - timedelta(seconds=self.ended_seconds_ago),
                stack_id=ID,
                stack_name="app",
                logical_id="app",
                physical_id=ID,
                resource_type="AWS::CloudFormation::Stack",
                status=status,
                token=token,
            )
            for number, status in enumerate(self.event_statuses)
        ]

    def cancel_update(self, _stack_id: str, *, token: str, guard: Callable[[], None]) -> None:
        guard()
        self.calls.append(f"cancel {token}")

    def delete_stack(self, _stack_id: str, *, token: str, guard: Callable[[], None]) -> None:
        guard()
        self.calls.append(f"delete {token}")


@dataclass
class World:
    registry: Registry
    clock: FrozenClock
    aws: FakeCloudFormation
    on_cancel: OnCancel = OnCancel.FINISH

    def settle(self, *, cancelled: bool = False) -> Settled:
        environment = Environment(
            name=ENVIRONMENT,
            stack_name="app",
            region="eu-west-1",
            application_url_output="Url",
            on_cancel=self.on_cancel,
        )
        recovery = Recovery(self.registry, environment, cast("CloudFormation", self.aws), self.clock)
        return recovery.settle(ME, why="It died.", cancelled=cancelled)

    def status(self) -> DeploymentStatus:
        return self.registry.deployments.get(ME).status


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = FrozenClock()
    return World(open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock), clock, FakeCloudFormation(clock))


def begin(world: World) -> None:
    """Held, and its operation asked for."""
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    world.registry.deployments.record(ME, changes={"operation_token": ME, "operation_asked_at": world.clock()})


def test_a_waiter_that_died_is_closed_as_failed_and_leaves_the_queue(world: World) -> None:
    enqueue(world.registry, 1)
    assert world.settle().verdict is Verdict.FINISHED
    record = world.registry.deployments.get(ME)
    assert record.status is DeploymentStatus.FAILED
    assert record.reason == "It died. Nothing was changed."
    assert world.registry.queue.waiting(ENVIRONMENT) == []


def test_a_holder_that_died_before_its_operation_is_closed_and_its_hold_released(world: World) -> None:
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    assert world.settle().verdict is Verdict.FINISHED
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_an_operation_that_runs_is_left_to_an_adopter_and_stays_held(world: World) -> None:
    begin(world)
    assert world.settle().verdict is Verdict.OPERATION_RUNS
    assert world.status() is DeploymentStatus.IN_PROGRESS
    hold = world.registry.holds.current(ENVIRONMENT)
    assert hold is not None
    assert hold.owner == ME


def test_the_process_that_only_seemed_dead_is_fenced_out(world: World) -> None:
    enqueue(world.registry, 1)
    zombie = claim(world.registry, 1)
    world.registry.deployments.record(ME, changes={"operation_token": ME})
    world.settle()
    with pytest.raises(HoldLostError):
        world.registry.holds.renew(zombie, lifetime_seconds=HOLD_LIFETIME_SECONDS)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("UPDATE_COMPLETE", DeploymentStatus.SUCCEEDED),
        ("UPDATE_ROLLBACK_COMPLETE", DeploymentStatus.ROLLED_BACK),
        ("UPDATE_ROLLBACK_FAILED", DeploymentStatus.FAILED),
    ],
)
def test_promise_4_an_operation_that_ended_unseen_is_on_record_as_cloudformation_has_it(
    world: World, end: str, status: DeploymentStatus
) -> None:
    begin(world)
    world.aws.event_statuses = ["UPDATE_IN_PROGRESS", end]
    world.aws.status = end
    assert world.settle().verdict is Verdict.FINISHED
    record = world.registry.deployments.get(ME)
    assert (record.status, record.stack_status) == (status, end)
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_promise_8_settling_twice_changes_nothing_more(world: World) -> None:
    begin(world)
    world.aws.event_statuses = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    world.settle()
    before = (world.registry.deployments.get(ME), world.registry.outbox.rows(ME))
    world.clock.advance(100)
    assert world.settle().verdict is Verdict.NOTHING_TO_DO
    assert (world.registry.deployments.get(ME), world.registry.outbox.rows(ME)) == before


def test_promise_10_a_failed_read_decides_nothing(world: World) -> None:
    begin(world)
    world.aws.fails = True
    assert world.settle().verdict is Verdict.UNKNOWN
    assert world.status() is DeploymentStatus.IN_PROGRESS


def test_an_operation_that_no_event_knows_is_waited_for_and_then_known_never_to_have_started(world: World) -> None:
    begin(world)
    world.aws.event_statuses = []
    world.clock.advance(NEVER_STARTED_SECONDS - 1)
    assert world.settle().verdict is Verdict.UNKNOWN
    world.clock.advance(1)
    assert world.settle().verdict is Verdict.FINISHED
    record = world.registry.deployments.get(ME)
    assert record.status is DeploymentStatus.FAILED
    assert "nothing was changed" in (record.reason or "")


def test_a_cancelled_update_is_turned_back_and_then_on_record_as_cancelled(world: World) -> None:
    begin(world)
    assert world.settle(cancelled=True).verdict is Verdict.OPERATION_RUNS
    assert world.aws.calls == [f"cancel {ME}-cancel"]
    world.aws.status = "UPDATE_ROLLBACK_COMPLETE"
    world.aws.event_statuses = ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"]
    assert world.settle().verdict is Verdict.FINISHED
    assert world.status() is DeploymentStatus.CANCELLED


def test_a_rollback_under_way_is_not_cancelled_again(world: World) -> None:
    begin(world)
    world.aws.status = "UPDATE_ROLLBACK_IN_PROGRESS"
    world.settle(cancelled=True)
    assert world.aws.calls == []


@pytest.mark.parametrize(("on_cancel", "calls"), [(OnCancel.FINISH, []), (OnCancel.DELETE, [f"delete {ME}-cancel"])])
def test_a_cancelled_creation_is_left_or_deleted_as_the_environment_says(
    world: World, on_cancel: OnCancel, calls: list[str]
) -> None:
    begin(world)
    world.aws.status, world.aws.event_statuses = "CREATE_IN_PROGRESS", ["CREATE_IN_PROGRESS"]
    world.on_cancel = on_cancel
    world.settle(cancelled=True)
    assert world.aws.calls == calls


def test_a_cancelled_deployment_that_succeeded_in_spite_of_it_is_a_success(world: World) -> None:
    begin(world)
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    world.settle(cancelled=True)
    assert world.status() is DeploymentStatus.SUCCEEDED


def ask(world: World) -> None:
    """For approval, with the hold not given back yet."""
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    changes = {"approval": approval(minutes=10), "status": DeploymentStatus.QUEUED, "deploying_since": None}
    world.registry.deployments.record(ME, changes=changes)


def test_one_that_waits_for_approval_lacks_no_process_and_gives_its_hold_back(world: World) -> None:
    ask(world)
    world.clock.advance(10 * 60 - 1)
    assert world.settle().verdict is Verdict.WAITS_FOR_APPROVAL
    assert world.status() is DeploymentStatus.QUEUED
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_whoever_looks_first_after_the_time_for_an_approval_ends_it_as_expired_once(world: World) -> None:
    ask(world)
    world.clock.advance(10 * 60)
    settled = world.settle()
    assert settled.outcome is not None
    assert settled.outcome.exit_code == 4
    assert world.status() is DeploymentStatus.EXPIRED
    assert world.settle().verdict is Verdict.NOTHING_TO_DO


def test_one_that_is_cancelled_while_it_waits_for_approval_is_on_record_as_that(world: World) -> None:
    ask(world)
    world.settle(cancelled=True)
    assert world.status() is DeploymentStatus.CANCELLED


def test_one_that_was_approved_and_then_died_is_closed_like_any_other(world: World) -> None:
    ask(world)
    world.registry.deployments.record(ME, changes={"approval": approval(decision=Decision.APPROVE)})
    world.clock.advance(60 * 60)
    world.settle()
    assert world.status() is DeploymentStatus.FAILED


def with_stacks_left(world: World) -> None:
    """At the first of two stacks, whose operation was asked for."""
    begin(world)
    world.registry.deployments.record(ME, changes={"stack_name": "app", "stacks": ("app", "later")})


def test_a_good_end_with_stacks_left_is_left_to_an_adopter_and_stays_held(world: World) -> None:
    with_stacks_left(world)
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert world.settle().verdict is Verdict.STACKS_LEFT
    assert world.status() is DeploymentStatus.IN_PROGRESS
    assert world.registry.holds.current(ENVIRONMENT) is not None


def test_stacks_that_nobody_goes_on_to_fail_the_deployment_in_the_end_and_free_the_environment(world: World) -> None:
    with_stacks_left(world)
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    world.aws.ended_seconds_ago = STACKS_LEFT_SECONDS
    settled = world.settle()
    assert settled.verdict is Verdict.FINISHED
    record = world.registry.deployments.get(ME)
    assert (record.status, record.reason) == (
        DeploymentStatus.FAILED, "app: it ended in UPDATE_COMPLETE. Not deployed: later.",
    )  # fmt: skip
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_a_cancelled_deployment_does_not_go_on_to_its_next_stack(world: World) -> None:
    with_stacks_left(world)
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert world.settle(cancelled=True).verdict is Verdict.FINISHED
    assert world.status() is DeploymentStatus.CANCELLED


def test_a_process_that_died_between_two_stacks_has_failed_and_says_what_is_deployed(world: World) -> None:
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    world.registry.deployments.record(ME, changes={"stacks": ("earlier", "app"), "stack_name": "app"})
    assert world.settle().verdict is Verdict.FINISHED
    record = world.registry.deployments.get(ME)
    assert record.reason == "app: It died. Nothing was changed. Deployed before it: earlier."


def test_an_operation_that_ends_between_two_reads_is_recorded_with_the_stack_as_it_is_then(world: World) -> None:
    begin(world)
    world.aws.status_meanwhile, world.aws.event_statuses = "UPDATE_COMPLETE", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert world.settle().verdict is Verdict.FINISHED
    assert world.registry.deployments.get(ME).stack_status == "UPDATE_COMPLETE"
