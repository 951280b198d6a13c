"""A rollback continued by a human: what is asked of AWS and when, and what is left when things go wrong in between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from interlock.cloudformation.gateway import CloudFormation
from interlock.continued_rollback import ContinuedRollback, Wish, free_after_crash
from interlock.errors import (
    CloudFormationRefusedError,
    CloudFormationUnavailableError,
    EnvironmentBusyError,
    HoldLostError,
    InvalidRequestError,
    NothingToRecoverError,
)
from interlock.models.environment import Environment
from interlock.models.stack import Operation, Stack, StackEvent
from interlock.registry import Registry, open_registry
from interlock.timing import HOLD_LIFETIME_SECONDS
from tests.unit.registry.kit import ENVIRONMENT, NOON, FrozenClock, cid, claim, enqueue

ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1"
NESTED_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/app-Db-1/2"
STACK = "AWS::CloudFormation::Stack"
STAGING = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1")
WISH = Wish(by="ada", reason="repaired")


def line(
    number: int, name: str, status: str, reason: str = "", *, stack_id: str = ID, physical_id: str = ""
) -> StackEvent:
    own = {"app": ID, "app-Db-1": NESTED_ID}
    return StackEvent(
        event_id=f"{stack_id}{number}",
        timestamp=NOON.replace(second=number),
        stack_id=stack_id,
        stack_name="app" if stack_id == ID else "app-Db-1",
        logical_id=name,
        physical_id=physical_id or own.get(name) or name.lower(),
        resource_type=STACK if name in own or physical_id else "AWS::SNS::Topic",
        status=status,
        reason=reason or None,
        token="of-the-deployment",
    )


def stuck_on(*failures: StackEvent) -> list[StackEvent]:
    return [
        line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(2, "Service", "UPDATE_FAILED", "AccessDenied"),
        line(3, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Service]."),
        *failures,
        line(9, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update."),
    ]


@dataclass
class FakeCloudFormation:
    """A stack whose rollback failed; what is called on it is kept. `before_the_call` happens after the guard was passed."""

    clock: FrozenClock
    status: str = "UPDATE_ROLLBACK_FAILED"
    events_by_stack: dict[str, list[StackEvent]] = field(
        default_factory=lambda: {ID: stuck_on(line(4, "Service", "UPDATE_FAILED", "it was deleted"))}
    )
    ends_in: str = "UPDATE_ROLLBACK_COMPLETE"
    error: Exception | None = None
    before_the_guard: Callable[[], object] = lambda: None
    has_reads_to_spare: bool = True
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def stack(self, _name: str) -> Stack:
        return Stack(name="app", stack_id=ID, status=self.status)

    def latest_operation(self, _stack: Stack) -> Operation:
        token = self.calls[-1][0] if self.calls else "of-the-deployment"
        return Operation(token=token, started_at=self.events_by_stack[ID][0].timestamp, status=self.status)

    def events(self, stack_id: str, *, not_before: object = None, after: str | None = None) -> list[StackEvent]:  # noqa: ARG002 - as the gateway's
        return [] if after else self.events_by_stack[stack_id]

    def events_of_operation(self, _stack_id: str, _token: str, *, not_before: object = None) -> list[StackEvent]:  # noqa: ARG002 - as the gateway's
        return [
            line(20, "app", "UPDATE_ROLLBACK_IN_PROGRESS"),
            line(21, "Service", "UPDATE_COMPLETE"),
            line(22, "app", self.status),
        ]

    def continue_update_rollback(
        self, stack_id: str, *, token: str, guard: Callable[[], None], resources_to_skip: Sequence[str]
    ) -> None:
        assert stack_id == ID
        self.before_the_guard()
        guard()
        if self.error:
            raise self.error
        self.calls.append((token, tuple(resources_to_skip)))
        self.status = self.ends_in


@dataclass
class World:
    registry: Registry
    clock: FrozenClock
    aws: FakeCloudFormation

    @property
    def work(self) -> ContinuedRollback:
        gateway = cast("CloudFormation", self.aws)
        return ContinuedRollback(self.registry, STAGING, gateway, self.clock, self.clock.advance)

    def recover(self, wish: Wish = WISH) -> tuple[str, list[str]]:
        told: list[StackEvent] = []
        ended = self.work.carry_out(self.work.look(), wish, told.append)
        return ended.status, [event.logical_id for event in told]

    def audit(self) -> list[str]:
        return [event.event for event in self.registry.locks.events(ENVIRONMENT)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = FrozenClock()
    clock.advance(60)
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    return World(registry, clock, FakeCloudFormation(clock))


def test_the_environment_is_held_during_the_call_and_free_after_the_end(world: World) -> None:
    held: list[str | None] = []
    world.aws.before_the_guard = lambda: held.append(world.registry.holds.current(ENVIRONMENT).owner)  # type: ignore[union-attr]
    assert world.recover() == ("UPDATE_ROLLBACK_COMPLETE", ["app", "Service", "app"])
    assert held == [world.aws.calls[0][0]]
    assert world.registry.holds.current(ENVIRONMENT) is None
    assert sorted(world.audit()) == ["RECOVERY_ENDED", "RECOVERY_STARTED"]


def test_what_blocks_in_a_nested_stack_goes_by_that_stacks_name_and_the_nested_stack_itself_is_not_skipped(
    world: World,
) -> None:
    world.aws.events_by_stack = {
        ID: stuck_on(line(4, "Db", "UPDATE_FAILED", "Embedded stack", physical_id=NESTED_ID)),
        NESTED_ID: [
            line(1, "app-Db-1", "UPDATE_ROLLBACK_IN_PROGRESS", "gone", stack_id=NESTED_ID),
            line(4, "Proxy", "UPDATE_FAILED", "no such proxy", stack_id=NESTED_ID),
        ],
    }
    blocked = world.work.look()
    assert blocked.skippable == ["app-Db-1.Proxy"]
    world.recover(Wish(by="ada", reason="no", skip=["app-Db-1.Proxy"]))
    assert world.aws.calls[0][1] == ("app-Db-1.Proxy",)

    world.aws.status, world.aws.calls = "UPDATE_ROLLBACK_FAILED", []
    world.aws.events_by_stack[NESTED_ID] = []
    unreadable = world.work.look()
    assert [(each.name, each.can_be_skipped) for each in unreadable.blockers] == [("Db", False)]
    with pytest.raises(InvalidRequestError, match="--skip Db: cannot be skipped; nothing may be skipped"):
        world.recover(Wish(by="ada", reason="no", skip=["Db"]))


def test_what_failed_to_be_removed_blocks_and_is_not_skipped_nor_what_was_only_cancelled(world: World) -> None:
    world.aws.events_by_stack[ID] = stuck_on(
        line(4, "Other", "UPDATE_FAILED", "Resource update cancelled"), line(5, "New", "DELETE_FAILED", "in use")
    )
    blocked = world.work.look()
    assert [(each.name, each.can_be_skipped) for each in blocked.blockers] == [("New", False)]


def test_more_than_a_handful_block_and_all_are_shown(world: World) -> None:
    world.aws.events_by_stack[ID] = stuck_on(*(line(4, f"R{number}", "UPDATE_FAILED", "no") for number in range(20)))
    assert len(world.work.look().skippable) == 20


def test_what_was_agreed_to_is_no_longer_what_blocks_so_nothing_is_done(world: World) -> None:
    shown = world.work.look()
    world.aws.events_by_stack[ID] = stuck_on(line(8, "Database", "UPDATE_FAILED", "another one now"))
    with pytest.raises(CloudFormationRefusedError, match="no longer what was shown"):
        world.work.carry_out(shown, WISH, lambda _: None)
    assert world.aws.calls == []
    assert world.registry.holds.current(ENVIRONMENT) is None


def test_promise_1_the_stack_is_looked_at_right_before_the_call(world: World) -> None:
    def somebody_else_is_faster() -> None:
        world.aws.status = "UPDATE_ROLLBACK_IN_PROGRESS"

    world.aws.before_the_guard = somebody_else_is_faster
    with pytest.raises(EnvironmentBusyError, match="UPDATE_ROLLBACK_IN_PROGRESS"):
        world.recover()
    assert world.aws.calls == []
    assert world.registry.holds.current(ENVIRONMENT) is None
    assert "RECOVERY_ENDED" in world.audit()


def test_promise_1_whose_fence_was_overtaken_makes_no_call_and_takes_nothing_back(world: World) -> None:
    def overtake() -> None:
        world.clock.advance(HOLD_LIFETIME_SECONDS)
        enqueue(world.registry, 1)
        world.registry.queue.enqueue(ENVIRONMENT, cid(1), world.clock(), lifetime_seconds=60)
        claim(world.registry, 1)

    world.aws.before_the_guard = overtake
    with pytest.raises(HoldLostError):
        world.recover()
    assert world.aws.calls == []
    hold = world.registry.holds.current(ENVIRONMENT)
    assert hold is not None
    assert hold.owner == cid(1)


def test_promise_10_where_nobody_can_say_whether_it_has_begun_the_environment_stays_held(world: World) -> None:
    world.aws.error = CloudFormationUnavailableError("timed out")
    with pytest.raises(CloudFormationUnavailableError, match="It may have begun: `interlock status staging`"):
        world.recover()
    hold = world.registry.holds.current(ENVIRONMENT)
    assert hold is not None
    assert hold.is_of_recovery


def test_refused_it_is_on_record_and_the_environment_is_free(world: World) -> None:
    world.aws.error = CloudFormationRefusedError("not for you", code="AccessDenied")
    with pytest.raises(CloudFormationRefusedError):
        world.recover()
    assert world.registry.holds.current(ENVIRONMENT) is None
    assert "not for you" in " ".join(event.details for event in world.registry.locks.events(ENVIRONMENT))


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("UPDATE_IN_PROGRESS", EnvironmentBusyError, "Wait for its end"),
        ("UPDATE_COMPLETE", NothingToRecoverError, "A deployment can start from there"),
        ("ROLLBACK_COMPLETE", NothingToRecoverError, "delete it"),
        ("DELETE_FAILED", NothingToRecoverError, "repair that by hand"),
    ],
)
def test_every_other_status_is_refused_with_what_to_do(
    world: World, status: str, error: type[Exception], words: str
) -> None:
    world.aws.status = status
    with pytest.raises(error, match=words):
        world.work.look()


def test_promise_8_what_a_crash_left_is_freed_once_and_only_when_nothing_runs(world: World) -> None:
    hold = world.registry.holds.claim_for_recovery(
        ENVIRONMENT, "recovery-20260301-120000-0000000a", lifetime_seconds=HOLD_LIFETIME_SECONDS
    )

    def free() -> str:
        return free_after_crash(world.registry, STAGING, cast("CloudFormation", world.aws), hold, world.clock)

    world.aws.status = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
    assert free() == "its operation runs, and is waited for"
    assert world.registry.holds.current(ENVIRONMENT) == hold
    world.aws.status = "UPDATE_ROLLBACK_COMPLETE"
    assert free() == "released; the stack is in UPDATE_ROLLBACK_COMPLETE"
    assert free() == "somebody else was faster"
    assert world.audit() == ["RECOVERY_ENDED"]
