"""The hold of a recovery: no deployment's, past the queue and locks, and never beside anybody (promise 1)."""

import pytest

from interlock.correlation_id import is_correlation_id, is_recovery_id, new_recovery_id
from interlock.errors import HoldLostError, NotYourTurnError
from interlock.models.deployment import DeploymentStatus
from interlock.models.queue import Hold
from interlock.registry import Registry
from tests.unit.registry.kit import ENVIRONMENT, HOLD_SECONDS, NOON, FrozenClock, cid, claim, enqueue

RECOVERY, ANOTHER = "recovery-20260301-120000-0000000a", "recovery-20260301-120000-0000000b"


def recover(registry: Registry, name: str = RECOVERY) -> Hold:
    return registry.holds.claim_for_recovery(ENVIRONMENT, name, lifetime_seconds=HOLD_SECONDS)


def test_its_name_is_no_deployments_and_a_deployments_is_not_its() -> None:
    assert is_recovery_id(new_recovery_id(NOON))
    assert not is_correlation_id(new_recovery_id(NOON))
    assert not is_recovery_id(cid(1))


def test_it_goes_ahead_of_the_queue_and_past_a_lock_and_leaves_both(registry: Registry) -> None:
    enqueue(registry, 1)
    registry.locks.lock(ENVIRONMENT, by="ada", reason="the stack is broken")
    hold = recover(registry)
    assert (hold.is_of_recovery, hold.fence) == (True, 1)
    assert [ticket.correlation_id for ticket in registry.queue.waiting(ENVIRONMENT)] == [cid(1)]
    assert registry.locks.current(ENVIRONMENT) is not None


def test_promise_1_it_is_not_granted_beside_a_deployment_nor_a_deployment_beside_it(registry: Registry) -> None:
    enqueue(registry, 1)
    held = claim(registry, 1)
    with pytest.raises(NotYourTurnError, match=cid(1)):
        recover(registry)
    registry.holds.release(held)
    recover(registry)
    enqueue(registry, 2)
    with pytest.raises(NotYourTurnError, match=RECOVERY):
        claim(registry, 2)
    with pytest.raises(NotYourTurnError, match=RECOVERY):
        recover(registry, ANOTHER)


def test_promise_1_the_hold_of_a_deployment_that_must_be_settled_is_not_taken_even_when_it_has_expired(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    clock.advance(HOLD_SECONDS)
    with pytest.raises(NotYourTurnError, match="no sign of life"):
        recover(registry)
    registry.deployments.finish(cid(1), DeploymentStatus.FAILED)
    assert recover(registry).fence == 2


def test_promise_1_an_overtaken_recovery_finds_out_before_its_call(registry: Registry, clock: FrozenClock) -> None:
    first = recover(registry)
    clock.advance(HOLD_SECONDS)
    second = recover(registry, ANOTHER)
    with pytest.raises(HoldLostError):
        registry.holds.check(first)
    assert not registry.holds.release(first)
    assert registry.holds.current(ENVIRONMENT) == second


def test_once_it_has_expired_over_a_quiet_stack_the_next_deployment_goes(
    registry: Registry, clock: FrozenClock
) -> None:
    recover(registry)
    clock.advance(HOLD_SECONDS)
    enqueue(registry, 1)
    with pytest.raises(NotYourTurnError):
        claim(registry, 1, quiet=False)
    clock.advance(-1)
    with pytest.raises(NotYourTurnError):
        claim(registry, 1)
    clock.advance(1)
    assert claim(registry, 1).owner == cid(1)
