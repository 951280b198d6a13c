"""A command whose process died: its operation is found by its place in the log, and nothing is decided while it may live."""

from pathlib import Path

import pytest

from interlock.errors import StackBusyError
from interlock.forced_release import ForcedRelease
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.stack import Operation, Stack, StackEvent
from interlock.monitoring.status_report import Reason, Situation, status_report
from interlock.recovery import Verdict
from interlock.registry import open_registry
from interlock.timing import COMMAND_DEATH_SECONDS, HOLD_LIFETIME_SECONDS, NEVER_STARTED_SECONDS
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, claim, enqueue
from tests.unit.test_recovery import ID, FakeCloudFormation, World

ME = cid(1)
MARK = "the-last-before"


class Marked(FakeCloudFormation):
    """What is after the mark is the command's; it bears nobody's token."""

    def events(self, stack_id: str, *, after: str | None) -> list[StackEvent]:
        assert after == MARK
        return [event.model_copy(update={"token": None}) for event in self.events_of_operation(stack_id, "")]

    def latest_operation(self, _stack: Stack) -> Operation | None:
        return None


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = FrozenClock()
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    enqueue(registry, 1)
    claim(registry, 1)
    changes = {"by_command": True, "command_after_event": MARK, "operation_asked_at": clock()}
    registry.deployments.record(ME, changes=changes)
    return World(registry, clock, Marked(clock))


def test_one_that_was_started_is_adopted_and_never_started_anew(world: World) -> None:
    assert world.registry.deployments.get(ME).has_begun
    assert world.settle().verdict is Verdict.OPERATION_RUNS


def test_an_operation_that_ended_is_recorded_once_the_command_can_begin_no_other(world: World) -> None:
    world.clock.advance(3600)  # it ran for long: that its process died is news all the same
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert world.settle().verdict is Verdict.COMMAND_MAY_LIVE
    world.clock.advance(COMMAND_DEATH_SECONDS - 1)
    assert world.settle().verdict is Verdict.COMMAND_MAY_LIVE
    world.clock.advance(1)
    assert world.settle().verdict is Verdict.FINISHED
    assert world.status() is DeploymentStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("cancelled", "status"), [(False, DeploymentStatus.FAILED), (True, DeploymentStatus.CANCELLED)]
)
def test_one_that_began_none_is_closed_once_that_is_certain(
    world: World, status: DeploymentStatus, *, cancelled: bool
) -> None:
    world.clock.advance(3600)
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", []
    assert world.settle(cancelled=cancelled).verdict is Verdict.COMMAND_MAY_LIVE
    world.clock.advance(NEVER_STARTED_SECONDS - 1)
    assert world.settle(cancelled=cancelled).verdict is Verdict.COMMAND_MAY_LIVE
    world.clock.advance(1)
    assert world.settle(cancelled=cancelled).verdict is Verdict.FINISHED
    assert world.status() is status
    assert "nothing was changed" in (world.registry.deployments.get(ME).reason or "")


def test_a_cancelled_ones_update_is_turned_back_as_ours_would_be(world: World) -> None:
    assert world.settle(cancelled=True).verdict is Verdict.OPERATION_RUNS
    assert world.aws.calls == [f"cancel {ME}-cancel"]


def test_a_hold_is_not_taken_from_a_command_that_lives(world: World) -> None:
    environment = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1")
    world.aws.status, world.aws.event_statuses = "UPDATE_COMPLETE", []
    forced = ForcedRelease(world.registry, environment, world.aws, world.clock)  # type: ignore[arg-type] # a stand-in
    world.registry.deployments.record(ME, changes={"operation_asked_at": world.clock()})
    with pytest.raises(StackBusyError, match="command runs"):
        forced.carry_out(by="ada", reason="in a hurry")
    world.clock.advance(
        HOLD_LIFETIME_SECONDS * 10
    )  # the engine is dead or stopped: its supervisor has ended the command
    with pytest.raises(StackBusyError, match="shut out"):  # its end is still to be told
        forced.carry_out(by="ada", reason="its machine is off")


def test_what_runs_while_a_command_is_active_counts_as_its_doing(world: World) -> None:
    now = world.clock()
    situation = Situation(
        environment=Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1"),
        now=now,
        stack=Stack(name="app", stack_id=ID, status="UPDATE_IN_PROGRESS"),
        operation=Operation(token="cdk1234", started_at=now, status="UPDATE_IN_PROGRESS"),
        hold=world.registry.holds.current(ENVIRONMENT),
        deployment=world.registry.deployments.get(ME),
    )
    assert status_report(situation).reason is Reason.ACTIVE_DEPLOYMENT_IN_PROGRESS
