"""The wait for the turn: order, bound, and what is never overtaken. Time passes only when the waiter sleeps."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from interlock.errors import CancelledError, LockedTooLongError, SupersededError, WaitTimeoutError
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.freeze import FreezeWindow
from interlock.models.lock import Lock
from interlock.models.notice import NoticeKind
from interlock.registry import Registry, open_registry
from interlock.timing import HOLD_LIFETIME_SECONDS, LATE_ARRIVAL_SECONDS, SLOT_ATTEMPT_SECONDS, TICKET_LIFETIME_SECONDS
from interlock.turn import Turn
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, claim, deployment, enqueue

MINUTES = 2.0


@dataclass
class World:
    """Everything around one waiter; `happenings` are done when the time has come."""

    registry: Registry
    clock: FrozenClock
    quiet: bool = True
    late: list[str] = field(default_factory=list)
    slot_is_free: bool = True
    slots_given_back: int = 0
    settled: list[str] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    kept_out_by: list[Lock | None] = field(default_factory=list)
    freeze: tuple[FreezeWindow, ...] = ()
    slot_attempts: list[float] = field(default_factory=list)
    happenings: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for due, happen in list(self.happenings):
            if (self.clock() - self.began).total_seconds() >= due:
                self.happenings.remove((due, happen))
                happen()

    def turn(self, number: int) -> Turn:
        self.began = self.clock()
        environment = Environment(
            name=ENVIRONMENT, stack_name="app", region="eu-west-1", max_wait_minutes=MINUTES, freeze=self.freeze
        )
        return Turn(
            registry=self.registry,
            environment=environment,
            deployment=self.registry.deployments.get(cid(number)),
            stack_is_quiet=lambda: self.quiet,
            settle_holder=self.settled.append,
            late_arrivals=lambda: self.late,
            take_slot=self._take_slot,
            is_degraded=lambda: False,
            tell=self._tell,
            clock=self.clock,
            sleep=self.sleep,
            poll_seconds=1,
        )

    def _take_slot(self, attempt: ExitStack, seconds: float) -> bool:
        self.slot_attempts.append(seconds)
        if self.slot_is_free:
            attempt.callback(self._give_back)
        else:
            self.clock.advance(seconds)
        return self.slot_is_free

    def _tell(self, position: int, _waited: timedelta, lock: Lock | None) -> None:
        self.told.append(position)
        self.kept_out_by.append(lock)

    def _give_back(self) -> None:
        self.slots_given_back += 1


@pytest.fixture
def world(tmp_path: Path) -> World:
    clock = FrozenClock()
    clock.advance(60)  # after the moments at which the kit's deployments were asked for
    return World(open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock), clock)


def register(world: World, number: int) -> None:
    world.registry.deployments.register(deployment(number))


def test_a_free_environment_is_taken_at_once(world: World) -> None:
    register(world, 1)
    with ExitStack() as held:
        hold = world.turn(1).take(held)
        assert hold.owner == cid(1)
        assert world.slots_given_back == 0
    assert world.slots_given_back == 1
    assert world.clock() == world.began


def test_the_grant_is_on_record_and_announced(world: World) -> None:
    register(world, 1)
    with ExitStack() as held:
        hold = world.turn(1).take(held)
    record = world.registry.deployments.get(cid(1))
    assert record.status is DeploymentStatus.IN_PROGRESS
    assert record.fence == hold.fence
    assert record.events[-1].event == "HOLD_GRANTED"
    assert [row.notice.kind for row in world.registry.outbox.rows(cid(1))] == [NoticeKind.DEPLOYING]


def test_a_live_holder_is_waited_for(world: World) -> None:
    enqueue(world.registry, 1)
    first = claim(world.registry, 1)
    register(world, 2)
    world.happenings.append((30, lambda: world.registry.holds.release(first)))
    with ExitStack() as held:
        hold = world.turn(2).take(held)
    assert hold.fence == first.fence + 1
    assert (world.clock() - world.began).total_seconds() == 30
    assert set(world.told) == {0}


def test_an_earlier_request_goes_first_though_it_joined_later(world: World) -> None:
    register(world, 1)
    register(world, 2)
    turn = world.turn(2)
    enqueue_again = world.registry.queue.enqueue
    enqueue_again(ENVIRONMENT, cid(1), deployment(1).asked_at, lifetime_seconds=TICKET_LIFETIME_SECONDS)
    world.happenings.append((10, lambda: world.registry.queue.leave(ENVIRONMENT, cid(1))))
    with ExitStack() as held:
        turn.take(held)
    assert world.told[0] == 1
    assert (world.clock() - world.began).total_seconds() == 10


def test_a_dead_waiter_ahead_blocks_for_no_longer_than_its_ticket_lives(world: World) -> None:
    register(world, 1)
    world.registry.queue.enqueue(ENVIRONMENT, cid(1), deployment(1).asked_at, lifetime_seconds=TICKET_LIFETIME_SECONDS)
    register(world, 2)
    with ExitStack() as held:
        world.turn(2).take(held)
    assert TICKET_LIFETIME_SECONDS <= (world.clock() - world.began).total_seconds() <= 30


def test_an_earlier_run_that_has_not_joined_yet_is_waited_for_but_not_for_long(world: World) -> None:
    register(world, 2)
    world.late = ["an-earlier-flow-run"]
    with ExitStack() as held:
        world.turn(2).take(held)
    assert (world.clock() - world.began).total_seconds() == LATE_ARRIVAL_SECONDS


def test_a_strangers_operation_is_waited_for(world: World) -> None:
    register(world, 1)
    world.quiet = False
    world.happenings.append((12, lambda: setattr(world, "quiet", True)))
    with ExitStack() as held:
        world.turn(1).take(held)
    assert 12 <= (world.clock() - world.began).total_seconds() < 20


@pytest.mark.parametrize("obstacle", ["holder", "stack", "slot"])
def test_promise_7_the_wait_ends_at_the_environments_maximum_whatever_is_in_the_way(
    world: World, obstacle: str
) -> None:
    register(world, 2)
    if obstacle == "holder":
        enqueue(world.registry, 1)
        hold = claim(world.registry, 1)
        for second in range(0, 200, 20):
            world.happenings.append((second, lambda: world.registry.holds.renew(hold, lifetime_seconds=60)))
    world.quiet = obstacle != "stack"
    world.slot_is_free = obstacle != "slot"
    with ExitStack() as held, pytest.raises(WaitTimeoutError) as caught:
        world.turn(2).take(held)
    assert caught.value.correlation_id == cid(2)
    assert (world.clock() - world.began).total_seconds() == pytest.approx(MINUTES * 60, abs=1)
    assert all(seconds <= SLOT_ATTEMPT_SECONDS for seconds in world.slot_attempts)


def test_a_superseded_waiter_stops_and_says_by_whom(world: World) -> None:
    register(world, 2)
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    finish = world.registry.deployments.finish
    world.happenings.append((5, lambda: finish(cid(2), DeploymentStatus.SUPERSEDED, reason="Superseded by x.")))
    with ExitStack() as held, pytest.raises(SupersededError, match="Superseded by x"):
        world.turn(2).take(held)


def test_a_cancelled_waiter_stops(world: World) -> None:
    register(world, 2)
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    world.happenings.append((5, lambda: world.registry.deployments.finish(cid(2), DeploymentStatus.CANCELLED)))
    with ExitStack() as held, pytest.raises(CancelledError):
        world.turn(2).take(held)


def test_the_slot_is_given_back_when_the_hold_goes_to_somebody_else(world: World) -> None:
    register(world, 1)
    register(world, 2)
    turn = world.turn(2)
    original = world._take_slot

    def somebody_is_faster(attempt: ExitStack, seconds: float) -> bool:
        if not world.slot_attempts:
            world.registry.queue.enqueue(ENVIRONMENT, cid(1), deployment(1).asked_at, lifetime_seconds=1000)
            claimed = claim(world.registry, 1)
            world.happenings.append((20, lambda: world.registry.holds.release(claimed)))
        return original(attempt, seconds)

    turn.take_slot = somebody_is_faster
    with ExitStack() as held:
        turn.take(held)
        assert world.slots_given_back == 1
    assert world.slots_given_back == 2


def test_an_expired_holder_is_settled_before_its_environment_is_taken(world: World) -> None:
    enqueue(world.registry, 1)
    dead = claim(world.registry, 1)
    world.clock.advance((dead.expires_at - world.clock()).total_seconds())
    register(world, 2)
    turn = world.turn(2)

    def settle(holder: str) -> None:
        world.settled.append(holder)
        world.registry.deployments.finish(holder, DeploymentStatus.FAILED)
        world.registry.holds.release(dead)

    turn.settle_holder = settle
    with ExitStack() as held:
        assert turn.take(held).owner == cid(2)
    assert world.settled == [cid(1)]


def test_an_expired_holder_whose_end_is_not_known_is_not_overtaken(world: World) -> None:
    enqueue(world.registry, 1)
    dead = claim(world.registry, 1)
    world.clock.advance((dead.expires_at - world.clock()).total_seconds())
    register(world, 2)
    with ExitStack() as held, pytest.raises(WaitTimeoutError):
        world.turn(2).take(held)
    assert set(world.settled) == {cid(1)}


def test_a_process_that_adopts_its_own_deployment_needs_no_ticket_and_gets_a_new_fence(world: World) -> None:
    enqueue(world.registry, 1)
    before = claim(world.registry, 1)
    world.quiet = False  # its own operation runs
    enqueue(world.registry, 0)
    with ExitStack() as held:
        hold = world.turn(1).take(held)
    assert hold.fence == before.fence + 1
    assert world.clock() == world.began
    assert cid(1) not in [ticket.correlation_id for ticket in world.registry.queue.waiting(ENVIRONMENT)]


def test_a_waiter_that_was_stopped_for_longer_than_its_ticket_lives_goes_to_the_end(world: World) -> None:
    register(world, 1)
    turn = world.turn(1)
    world.clock.advance(TICKET_LIFETIME_SECONDS + 1)
    register(world, 2)
    world.registry.queue.enqueue(ENVIRONMENT, cid(2), deployment(2).asked_at, lifetime_seconds=10)
    with ExitStack() as held:
        turn.take(held)
    assert world.told[0] == 1
    assert world.clock() - world.began >= timedelta(seconds=10)


def test_the_hold_lives_for_its_lifetime_from_the_grant(world: World) -> None:
    register(world, 1)
    with ExitStack() as held:
        hold = world.turn(1).take(held)
    assert hold.expires_at - world.clock() == timedelta(seconds=HOLD_LIFETIME_SECONDS)


def test_an_adopter_does_not_wait_for_the_slot_that_its_dead_predecessor_has(world: World) -> None:
    enqueue(world.registry, 1)
    first = claim(world.registry, 1)
    world.slot_is_free = False
    with ExitStack() as held:
        hold = world.turn(1).take(held)
    assert hold.fence == first.fence + 1
    assert world.slot_attempts == [SLOT_ATTEMPT_SECONDS]


# --- locks ---------------------------------------------------------------------------------------------------------------


def test_a_lock_keeps_the_head_of_the_queue_waiting_with_neither_slot_nor_hold_until_it_is_taken_off(
    world: World,
) -> None:
    register(world, 1)
    lock = world.registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    world.happenings.append((30, lambda: world.registry.locks.unlock(lock, by="ada")))
    with ExitStack() as held:
        assert world.turn(1).take(held).owner == cid(1)
    assert (world.clock() - world.began).total_seconds() == 30
    assert len(world.slot_attempts) == 1
    assert world.kept_out_by == [lock] * 30


def test_a_lock_that_is_put_on_while_others_wait_holds_them_in_the_queue(world: World) -> None:
    enqueue(world.registry, 1)
    first = claim(world.registry, 1)
    register(world, 2)
    locks = world.registry.locks
    until = world.clock() + timedelta(seconds=40)
    world.happenings.append((10, lambda: locks.lock(ENVIRONMENT, by="ada", reason="audit", until=until)))
    world.happenings.append((20, lambda: world.registry.holds.release(first)))
    with ExitStack() as held:
        world.turn(2).take(held)
    assert world.clock() == until


def test_a_lock_put_on_between_slot_and_hold_wins_and_the_slot_is_given_back(world: World) -> None:
    register(world, 1)
    turn, take_slot = world.turn(1), world._take_slot

    def somebody_locks(attempt: ExitStack, seconds: float) -> bool:
        if not world.slot_attempts:
            until = world.clock() + timedelta(seconds=20)
            world.registry.locks.lock(ENVIRONMENT, by="ada", reason="audit", until=until)
        return take_slot(attempt, seconds)

    turn.take_slot = somebody_locks
    with ExitStack() as held:
        turn.take(held)
        assert world.slots_given_back == 1
    assert (world.clock() - world.began).total_seconds() == 20


def test_promise_7_the_wait_for_a_lock_ends_at_the_maximum_and_names_it(world: World) -> None:
    register(world, 1)
    world.registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    with ExitStack() as held, pytest.raises(LockedTooLongError, match=r"locked by ada .*: audit"):
        world.turn(1).take(held)
    assert (world.clock() - world.began).total_seconds() == pytest.approx(MINUTES * 60, abs=1)
    assert world.slot_attempts == []


def test_a_freeze_window_keeps_waiting_until_it_shuts(world: World) -> None:
    register(world, 1)
    world.freeze = (FreezeWindow(cron="0 12 * * *", hours=0.04, reason="noon"),)  # the clock says 12:01
    with ExitStack() as held:
        world.turn(1).take(held)
    assert f"{world.clock():%H:%M:%S}" == "12:02:24"


def test_an_emergency_goes_ahead_of_those_whom_the_lock_keeps_waiting(world: World) -> None:
    enqueue(world.registry, 1)
    emergency = deployment(2).model_copy(update={"lock_override": "the login is broken"})
    world.registry.deployments.register(emergency)
    world.registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    with ExitStack() as held:
        assert world.turn(2).take(held).owner == cid(2)
    assert world.clock() == world.began
    assert "LOCK_OVERRIDDEN" in [event.event for event in world.registry.deployments.get(cid(2)).events]


def test_a_dead_holder_is_settled_though_its_environment_is_locked(world: World) -> None:
    enqueue(world.registry, 1)
    claim(world.registry, 1)
    world.clock.advance(HOLD_LIFETIME_SECONDS * 3)
    register(world, 2)
    world.registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    with ExitStack() as held, pytest.raises(LockedTooLongError):
        world.turn(2).take(held)
    assert set(world.settled) == {cid(1)}


def test_without_the_registry_the_lock_that_was_last_seen_still_keeps_out(world: World) -> None:
    register(world, 1)
    lock = world.registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    world.happenings.append((15, lambda: world.registry.locks.unlock(lock, by="ada")))
    turn = world.turn(1)
    turn.is_degraded = lambda: True
    with ExitStack() as held:
        turn.take(held)
    assert (world.clock() - world.began).total_seconds() == 15
