"""A recovery whose process died: the sweep and a waiting deployment both free the environment, after the operation."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from interlock.models.environment import Environment
from interlock.models.stack import Stack
from interlock.registry import Registry, open_registry
from interlock.wiring import Installation
from tasks import slot, sweep
from tests.unit.registry.kit import ENVIRONMENT, HOLD_SECONDS, FrozenClock

RECOVERY = "recovery-20260301-120000-0000000a"
STAGING = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1")


class World:
    def __init__(self, home: Path) -> None:
        self.clock, self.status = FrozenClock(), "UPDATE_ROLLBACK_IN_PROGRESS"
        self.registry: Registry = open_registry(f"sqlite:///{home / 'registry.db'}", clock=self.clock)
        self.registry.holds.claim_for_recovery(ENVIRONMENT, RECOVERY, lifetime_seconds=HOLD_SECONDS)
        gateway = SimpleNamespace(stack=lambda name: Stack(name=name, stack_id="arn", status=self.status))
        here: Any = SimpleNamespace(registry=self.registry, clock=self.clock, cloudformation=lambda _: gateway)
        self.here = cast("Installation", here)

    def sweep(self) -> list[str]:
        return [finding.done for finding in sweep._free_left_hold(self.here, STAGING)]

    def settle(self) -> None:
        slot._settle(self.here, STAGING, RECOVERY)

    @property
    def is_held(self) -> bool:
        return self.registry.holds.current(ENVIRONMENT) is not None


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_sweep_leaves_a_living_one_alone_and_waits_for_a_dead_ones_operation(world: World) -> None:
    assert world.sweep() == []
    world.clock.advance(HOLD_SECONDS)
    assert world.sweep() == ["its operation runs, and is waited for"]
    assert world.is_held
    world.status = "UPDATE_ROLLBACK_COMPLETE"
    assert world.sweep() == ["released; the stack is in UPDATE_ROLLBACK_COMPLETE"]
    assert not world.is_held


def test_a_waiting_deployment_does_the_same(world: World) -> None:
    world.settle()
    world.clock.advance(HOLD_SECONDS)
    world.settle()
    assert world.is_held
    world.status = "UPDATE_ROLLBACK_FAILED"
    world.settle()
    assert not world.is_held
