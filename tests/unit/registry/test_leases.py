from interlock.registry import Registry
from tests.unit.registry.kit import FrozenClock


def test_a_lease_has_one_owner_until_its_expiry(registry: Registry, clock: FrozenClock) -> None:
    assert registry.leases.acquire("sweep", "a", lifetime_seconds=10)
    clock.advance(9.999999)
    assert not registry.leases.acquire("sweep", "b", lifetime_seconds=10)
    clock.advance(0.000001)
    assert registry.leases.acquire("sweep", "b", lifetime_seconds=10)
    assert not registry.leases.acquire("sweep", "a", lifetime_seconds=10)


def test_an_owner_prolongs_its_lease(registry: Registry, clock: FrozenClock) -> None:
    registry.leases.acquire("sweep", "a", lifetime_seconds=10)
    clock.advance(5)
    assert registry.leases.acquire("sweep", "a", lifetime_seconds=10)
    clock.advance(9)
    assert not registry.leases.acquire("sweep", "b", lifetime_seconds=10)


def test_leases_of_other_names_are_free(registry: Registry) -> None:
    assert registry.leases.acquire("sweep", "a", lifetime_seconds=10)
    assert registry.leases.acquire("deliver", "b", lifetime_seconds=10)


def test_promise_8_only_the_owner_releases_and_only_once(registry: Registry) -> None:
    registry.leases.acquire("sweep", "a", lifetime_seconds=10)
    assert not registry.leases.release("sweep", "b")
    assert not registry.leases.acquire("sweep", "b", lifetime_seconds=10)
    assert registry.leases.release("sweep", "a")
    assert not registry.leases.release("sweep", "a")
    assert registry.leases.acquire("sweep", "b", lifetime_seconds=10)
