"""A deployment's way through an outage of the registry, and what the registry knows afterwards."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from interlock.errors import HoldLostError, RegistryUnavailableError
from interlock.models.deployment import DeploymentStatus
from interlock.registry import Registry
from interlock.registry.memory import MemoryStore
from interlock.registry.outage import PROBE_SECONDS, OutageStore, write_spooled
from interlock.registry.store import Item, Key, Write
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, claim, deployment, enqueue, event, notice


class Behind(MemoryStore):
    """The registry's store, which can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.asked = 0

    def _ask(self) -> None:
        self.asked += 1
        if self.is_away:
            raise RegistryUnavailableError("No route to host")

    def get(self, key: Key) -> Item | None:
        self._ask()
        return super().get(key)

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        self._ask()
        return super().query(partition, sort_prefix, descending=descending, limit=limit)

    def transact(self, writes: Sequence[Write]) -> None:
        self._ask()
        super().transact(writes)


class World:
    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.behind = Behind()
        self.seconds = 0.0
        self.store = OutageStore(self.behind, clock=lambda: self.seconds)
        self.ours = Registry(self.store, clock=self.clock)
        self.others = Registry(self.behind, clock=self.clock)

    def lose(self) -> None:
        self.behind.is_away = True

    def restore(self) -> None:
        self.behind.is_away = False
        self.seconds += PROBE_SECONDS


@pytest.fixture
def world() -> World:
    return World()


def test_without_an_outage_everything_is_in_the_registry(world: World) -> None:
    enqueue(world.ours)
    hold = claim(world.ours)
    assert world.others.holds.current(ENVIRONMENT) == hold
    assert not world.store.is_out


def test_what_happens_in_an_outage_is_on_record_after_it(world: World) -> None:
    enqueue(world.ours)
    claim(world.ours)
    world.lose()
    world.ours.deployments.record(cid(1), events=[event("IN_THE_DARK")], notices=[notice()])
    world.ours.deployments.finish(cid(1), DeploymentStatus.SUCCEEDED)
    assert world.ours.deployments.get(cid(1)).status is DeploymentStatus.SUCCEEDED
    world.restore()
    assert world.store.catch_up()
    record = world.others.deployments.get(cid(1))
    assert record.status is DeploymentStatus.SUCCEEDED
    assert "IN_THE_DARK" in [each.event for each in record.events]
    assert [row.sequence for row in world.others.outbox.rows(cid(1))] == [1]
    assert world.others.deployments.active() == []


def test_a_deployment_that_begins_in_an_outage_is_on_record_after_it(world: World) -> None:
    world.lose()
    enqueue(world.ours)
    claim(world.ours)
    world.ours.deployments.finish(cid(1), DeploymentStatus.ROLLED_BACK)
    world.restore()
    assert world.store.catch_up()
    assert world.others.deployments.history(ENVIRONMENT)[0].status is DeploymentStatus.ROLLED_BACK
    assert world.others.deployments.of_flow_run("flow-run-1") is not None


def test_our_hold_lives_through_the_outage(world: World) -> None:
    enqueue(world.ours)
    hold = claim(world.ours)
    world.lose()
    hold = world.ours.holds.renew(hold, lifetime_seconds=500)
    world.restore()
    assert world.ours.holds.renew(hold, lifetime_seconds=500).fence == hold.fence
    current = world.others.holds.current(ENVIRONMENT)
    assert current is not None
    assert (current.owner, current.fence) == (cid(1), hold.fence)


def test_promise_1_whoever_was_granted_the_hold_meanwhile_keeps_it_and_we_find_out(world: World) -> None:
    enqueue(world.ours)
    hold = claim(world.ours)
    world.lose()
    hold = world.ours.holds.renew(hold, lifetime_seconds=500)
    world.behind.is_away = False  # for the others; we have not noticed yet
    world.clock.advance(300)
    enqueue(world.others, 2)
    theirs = claim(world.others, 2)
    world.seconds += PROBE_SECONDS
    with pytest.raises(HoldLostError):
        world.ours.holds.renew(hold, lifetime_seconds=500)
    assert world.others.holds.current(ENVIRONMENT) == theirs


def test_in_an_outage_others_are_not_waited_for_and_the_fence_still_grows(world: World) -> None:
    enqueue(world.others, 1)
    theirs = claim(world.others, 1)
    enqueue(world.others, 2)
    enqueue(world.ours, 3)
    assert world.ours.holds.current(ENVIRONMENT) == theirs
    world.lose()
    assert world.ours.queue.waiting(ENVIRONMENT) == []
    world.ours.queue.enqueue(ENVIRONMENT, cid(3), deployment(3).asked_at, lifetime_seconds=60)
    assert claim(world.ours, 3).fence == theirs.fence + 1


def test_a_registry_that_is_away_is_not_asked_at_every_call(world: World) -> None:
    enqueue(world.ours)
    world.lose()
    world.ours.deployments.get(cid(1))
    asked = world.behind.asked
    for _ in range(10):
        world.ours.deployments.get(cid(1))
    assert world.behind.asked == asked


def test_what_is_left_in_the_spool_is_written_by_somebody_else_later(world: World, tmp_path: Path) -> None:
    world.lose()
    enqueue(world.ours)
    world.ours.deployments.finish(cid(1), DeploymentStatus.SUCCEEDED, reason="Done in the dark.")
    assert not world.store.catch_up()
    (tmp_path / "left.json").write_text(json.dumps(world.store.unwritten()))
    world.behind.is_away = False
    assert list(write_spooled(world.behind, tmp_path)) == ["left.json"]
    assert world.others.deployments.get(cid(1)).reason == "Done in the dark."
    assert list(write_spooled(world.behind, tmp_path)) == []


def test_a_lock_that_was_seen_before_an_outage_keeps_out_in_it() -> None:
    world = World()
    enqueue(world.ours, 1)
    world.others.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    assert world.ours.locks.current(ENVIRONMENT)
    world.lose()
    assert world.ours.locks.current(ENVIRONMENT)


def test_an_old_lock_that_a_claim_in_an_outage_checked_does_not_come_back_over_a_newer_one() -> None:
    world = World()
    old = world.others.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    world.others.locks.unlock(old, by="ada")
    assert world.ours.locks.current(ENVIRONMENT) is None
    enqueue(world.ours, 1)
    world.lose()
    world.ours.queue.enqueue(ENVIRONMENT, cid(1), world.clock(), lifetime_seconds=60)
    assert claim(world.ours, 1).owner == cid(1)
    world.behind.is_away = False
    new = world.others.locks.lock(ENVIRONMENT, by="bob", reason="freeze")
    world.restore()
    assert world.store.catch_up()
    assert world.others.locks.current(ENVIRONMENT) == new
