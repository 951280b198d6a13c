"""Whether a deployment's process lives, and when that can be told of a silent one."""

from datetime import timedelta

from interlock.registry import Registry
from interlock.signs_of_life import is_alive, seconds_of_grace
from tests.unit.registry.kit import TICKET_SECONDS, FrozenClock, cid, claim, enqueue

ME = cid(1)
SILENT = timedelta(seconds=TICKET_SECONDS)
"""From now on the ticket is dead."""


def test_who_has_a_place_is_judged_by_it_and_not_by_its_silence(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    assert seconds_of_grace(registry, registry.deployments.get(ME), clock()) is None
    claim(registry, 1)
    assert seconds_of_grace(registry, registry.deployments.get(ME), clock()) is None


def test_a_silent_one_without_a_place_is_dead_to_the_second_that_was_foretold(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry, 1)
    deployment = registry.deployments.get(ME)
    clock.advance(SILENT.total_seconds())
    left = seconds_of_grace(registry, deployment, clock())
    assert left is not None
    clock.advance(left - 0.001)
    assert is_alive(registry, deployment, clock())
    clock.advance(0.001)
    assert not is_alive(registry, deployment, clock())
    assert seconds_of_grace(registry, deployment, clock()) is None
