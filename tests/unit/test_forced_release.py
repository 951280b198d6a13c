"""A hold taken away by force: never from a running operation, never on a guess, and the one who had it finds out."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from interlock.cloudformation.gateway import CloudFormation
from interlock.correlation_id import new_recovery_id
from interlock.errors import CloudFormationUnavailableError, HoldLostError, StackBusyError
from interlock.forced_release import ForcedRelease
from interlock.hold_keeper import HoldKeeper
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.notice import NoticeKind
from interlock.models.queue import Hold
from interlock.models.stack import Operation, Stack
from interlock.registry import Registry, open_registry
from interlock.timing import NEVER_STARTED_SECONDS
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, claim, enqueue
from tests.unit.test_recovery import FakeCloudFormation

ME = cid(1)


@dataclass
class Stacks(FakeCloudFormation):
    """The stack as recovery's tests see it; `statuses` are shown in turn, the last for ever."""

    statuses: list[str | None] = field(default_factory=lambda: ["UPDATE_COMPLETE"])
    latest: str = "UPDATE_COMPLETE"

    def stack(self, name: str) -> Stack | None:
        self.status = self.statuses[0]
        if len(self.statuses) > 1:
            self.statuses.pop(0)
        return super().stack(name)

    def latest_operation(self, _stack: Stack) -> Operation:
        return Operation(token=ME, started_at=self.clock(), status=self.latest)


@dataclass
class World:
    registry: Registry
    clock: FrozenClock
    aws: Stacks

    def release(self) -> Hold | None:
        environment = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1")
        forced = ForcedRelease(self.registry, environment, cast("CloudFormation", self.aws), self.clock)
        return forced.carry_out(by="ada@laptop", reason="its machine is off")

    def held(self, *, begun_seconds_ago: float | None = None) -> Hold:
        enqueue(self.registry, 1)
        hold = claim(self.registry, 1)
        if begun_seconds_ago is not None:
            asked_at = self.clock() - timedelta(seconds=begun_seconds_ago)
            self.registry.deployments.record(ME, changes={"operation_token": ME, "operation_asked_at": asked_at})
        return hold


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = FrozenClock()
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    return World(registry, clock, Stacks(clock, event_statuses=[]))


def test_nobody_has_it_and_nothing_is_written(world: World) -> None:
    assert world.release() is None
    assert world.registry.locks.events(ENVIRONMENT) == []


def test_a_holder_whose_operation_has_not_begun_is_closed_and_its_environment_is_free(world: World) -> None:
    held = world.held()
    assert world.release() == held
    assert world.registry.holds.current(ENVIRONMENT) is None
    record = world.registry.deployments.get(ME)
    assert record.status is DeploymentStatus.FAILED
    assert record.reason == "Released by force by ada@laptop: its machine is off. Nothing was changed."
    assert "HOLD_RELEASED_BY_FORCE" in [event.event for event in record.events]
    enqueue(world.registry, 2)
    assert claim(world.registry, 2).fence > held.fence


def test_it_is_told_and_audited_with_who_and_why(world: World) -> None:
    world.held()
    world.release()
    told = [row.notice for row in world.registry.outbox.rows(ME) if row.notice.kind is NoticeKind.RELEASED_BY_FORCE]
    assert [notice.facts for notice in told] == [{"by": "ada@laptop", "release_reason": "its machine is off"}]
    (audit,) = world.registry.locks.events(ENVIRONMENT)
    assert (audit.event, audit.by, audit.correlation_id) == ("HOLD_RELEASED_BY_FORCE", "ada@laptop", ME)


def test_promise_1_the_old_holder_that_still_lives_finds_out_before_its_next_call(world: World) -> None:
    keeper = HoldKeeper(world.registry, world.held())
    keeper.guard()
    world.release()
    with pytest.raises(HoldLostError):
        keeper.guard()


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_promise_1_it_is_refused_while_an_operation_runs_and_changes_nothing(world: World, status: str) -> None:
    held = world.held(begun_seconds_ago=5)
    before = world.registry.deployments.get(ME)
    world.aws.statuses = [status]
    with pytest.raises(StackBusyError, match=status):
        world.release()
    assert world.registry.holds.current(ENVIRONMENT) == held
    assert world.registry.deployments.get(ME) == before
    assert world.registry.locks.events(ENVIRONMENT) == []


def test_a_change_set_just_executed_may_still_read_as_under_review(world: World) -> None:
    held = world.held(begun_seconds_ago=1)
    world.aws.statuses, world.aws.latest = ["REVIEW_IN_PROGRESS"], "CREATE_IN_PROGRESS"
    with pytest.raises(StackBusyError):
        world.release()
    assert world.registry.holds.current(ENVIRONMENT) == held


def test_promise_10_a_stack_that_cannot_be_read_refuses_it(world: World) -> None:
    held = world.held()
    world.aws.fails = True
    with pytest.raises(CloudFormationUnavailableError):
        world.release()
    assert world.registry.holds.current(ENVIRONMENT) == held


def test_promise_4_an_operation_that_has_ended_is_on_record_as_cloudformation_has_it(world: World) -> None:
    world.held(begun_seconds_ago=30)
    world.aws.event_statuses = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    world.release()
    assert world.registry.deployments.get(ME).status is DeploymentStatus.SUCCEEDED
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_promise_10_an_operation_asked_for_just_now_may_yet_appear_so_the_environment_stays_held(world: World) -> None:
    held = world.held(begun_seconds_ago=5)
    with pytest.raises(StackBusyError, match="stays held"):
        world.release()
    hold = world.registry.holds.current(ENVIRONMENT)
    assert hold is not None
    assert (hold.owner, hold.fence > held.fence) == (ME, True)
    world.clock.advance(NEVER_STARTED_SECONDS)
    assert world.release() is not None
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_an_operation_that_began_while_we_looked_keeps_its_environment(world: World) -> None:
    world.held(begun_seconds_ago=5)
    world.aws.statuses = ["UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"]
    world.aws.event_statuses = ["UPDATE_IN_PROGRESS"]
    with pytest.raises(StackBusyError, match="its operation runs"):
        world.release()
    assert world.registry.deployments.get(ME).status is DeploymentStatus.IN_PROGRESS
    assert world.registry.holds.current(ENVIRONMENT) is not None


def test_a_hold_left_behind_by_a_deployment_that_has_ended_is_freed(world: World) -> None:
    world.held()
    world.registry.deployments.finish(ME, DeploymentStatus.SUCCEEDED)
    world.release()
    assert world.registry.holds.current(ENVIRONMENT) is None
    record = world.registry.deployments.get(ME)
    assert record.status is DeploymentStatus.SUCCEEDED
    assert record.events[-1].event == "HOLD_RELEASED_BY_FORCE"


def test_the_hold_of_a_recovery_is_freed_and_its_process_finds_out(world: World) -> None:
    recovery = world.registry.holds.claim_for_recovery(ENVIRONMENT, new_recovery_id(world.clock()), lifetime_seconds=60)
    assert world.release() == recovery
    assert world.registry.holds.current(ENVIRONMENT) is None
    with pytest.raises(HoldLostError):
        HoldKeeper(world.registry, recovery).guard()
    assert [event.event for event in world.registry.locks.events(ENVIRONMENT)] == ["HOLD_RELEASED_BY_FORCE"]


def test_promise_8_twice_changes_nothing_more(world: World) -> None:
    world.held()
    world.release()
    before = (world.registry.deployments.get(ME), world.registry.outbox.rows(ME))
    assert world.release() is None
    assert (world.registry.deployments.get(ME), world.registry.outbox.rows(ME)) == before
