"""The keeper of a hold tells the truth about it right before a change, however long it slept."""

import pytest

from interlock.errors import HoldLostError
from interlock.hold_keeper import HoldKeeper
from interlock.registry import Registry
from interlock.timing import HOLD_LIFETIME_SECONDS
from tests.unit.registry.kit import ENVIRONMENT, HOLD_SECONDS, FrozenClock, claim, enqueue


def test_the_guard_extends_the_hold_so_that_it_lives_through_the_call(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry)
    keeper = HoldKeeper(registry, claim(registry))
    clock.advance(HOLD_SECONDS - 1)
    keeper.guard()
    clock.advance(HOLD_LIFETIME_SECONDS - 1)
    hold = registry.holds.current(ENVIRONMENT)
    assert hold is not None
    assert hold.is_live(clock())


def test_a_process_that_slept_past_its_expiry_and_was_not_overtaken_goes_on(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry)
    keeper = HoldKeeper(registry, claim(registry))
    clock.advance(HOLD_SECONDS * 10)
    keeper.guard()
    assert keeper.hold.is_live(clock())


def test_promise_1_a_process_that_slept_and_was_overtaken_finds_out_before_its_next_call(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry)
    keeper = HoldKeeper(registry, claim(registry))
    clock.advance(HOLD_SECONDS)
    enqueue(registry, 2)
    overtaker = claim(registry, 2)
    with pytest.raises(HoldLostError):
        keeper.guard()
    assert registry.holds.current(ENVIRONMENT) == overtaker


def test_a_hold_once_lost_stays_lost(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry)
    keeper = HoldKeeper(registry, claim(registry))
    clock.advance(HOLD_SECONDS)
    enqueue(registry, 2)
    registry.holds.release(claim(registry, 2))
    for _ in range(2):
        with pytest.raises(HoldLostError):
            keeper.guard()


def test_leaving_the_keeper_releases_nothing(registry: Registry) -> None:
    enqueue(registry)
    hold = claim(registry)
    with HoldKeeper(registry, hold):
        pass
    assert registry.holds.current(ENVIRONMENT) == hold
