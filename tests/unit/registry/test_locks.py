"""Locks: whose they are, when they end, what they keep out, and what is written of it. For every store."""

from datetime import timedelta

import pytest

from interlock.errors import LockedBySomebodyElseError, NotYourTurnError, TicketLostError
from interlock.models.deployment import DeploymentStatus
from interlock.models.lock import Lock
from interlock.models.notice import NoticeKind
from interlock.registry import Registry
from interlock.registry.store import ConflictError, Store, Write
from tests.unit.registry.kit import (
    ENVIRONMENT,
    HOLD_SECONDS,
    NOON,
    TICKET_SECONDS,
    FrozenClock,
    cid,
    claim,
    deployment,
    enqueue,
)

ADA, BOB = "ada@laptop", "bob@desk"


def lock(registry: Registry, by: str = ADA, *, reason: str = "audit", hours: float | None = None) -> Lock:
    until = NOON + timedelta(hours=hours) if hours else None
    return registry.locks.lock(ENVIRONMENT, by=by, reason=reason, until=until)


def enqueue_emergency(registry: Registry, number: int) -> None:
    one = deployment(number).model_copy(update={"lock_override": "the login is broken", "actor": BOB})
    registry.deployments.register(one)
    registry.queue.enqueue(
        ENVIRONMENT, cid(number), one.asked_at, lifetime_seconds=TICKET_SECONDS, passes_locks=one.passes_locks
    )


def events(registry: Registry) -> list[str]:
    return [event.event for event in registry.locks.events(ENVIRONMENT)]


def test_an_environment_is_not_locked_until_somebody_locks_it_and_others_stay_open(registry: Registry) -> None:
    assert registry.locks.current(ENVIRONMENT) is None
    made = lock(registry)
    assert registry.locks.current(ENVIRONMENT) == made
    assert registry.locks.current("production") is None


def test_a_lock_is_on_before_its_end_and_off_at_it(registry: Registry, clock: FrozenClock) -> None:
    made = lock(registry, hours=1)
    clock.advance(3600 - 0.000001)
    assert registry.locks.current(ENVIRONMENT) == made
    clock.advance(0.000001)
    assert registry.locks.current(ENVIRONMENT) is None


def test_promise_8_locking_again_with_the_same_words_changes_nothing(registry: Registry, clock: FrozenClock) -> None:
    made = lock(registry)
    clock.advance(5)
    assert lock(registry) == made
    assert events(registry) == ["ENVIRONMENT_LOCKED"]
    assert len(registry.outbox.rows(made.announcement_id)) == 1


def test_ones_own_lock_can_be_changed_and_is_the_same_lock(registry: Registry, clock: FrozenClock) -> None:
    made = lock(registry)
    clock.advance(5)
    changed = lock(registry, reason="longer audit", hours=2)
    assert (changed.number, changed.since) == (made.number, made.since)
    assert registry.locks.current(ENVIRONMENT) == changed
    assert events(registry) == ["LOCK_CHANGED", "ENVIRONMENT_LOCKED"]


def test_another_persons_lock_is_not_replaced(registry: Registry) -> None:
    made = lock(registry)
    with pytest.raises(LockedBySomebodyElseError, match="ada@laptop"):
        lock(registry, BOB)
    assert registry.locks.current(ENVIRONMENT) == made


def test_promise_8_unlocking_twice_changes_nothing_more(registry: Registry, clock: FrozenClock) -> None:
    made = lock(registry)
    clock.advance(1)
    assert registry.locks.unlock(made, by=BOB, reason="over")
    assert registry.locks.current(ENVIRONMENT) is None
    before = (registry.locks.events(ENVIRONMENT), registry.outbox.rows(made.announcement_id))
    assert not registry.locks.unlock(made, by=BOB, reason="over")
    assert (registry.locks.events(ENVIRONMENT), registry.outbox.rows(made.announcement_id)) == before


def test_promise_8_unlocking_late_leaves_the_next_persons_lock_alone(registry: Registry) -> None:
    old = lock(registry)
    registry.locks.unlock(old, by=ADA)
    new = lock(registry, BOB)
    assert new.number == old.number + 1
    assert not registry.locks.unlock(old, by=ADA)
    assert registry.locks.current(ENVIRONMENT) == new


def test_a_lock_that_ran_out_may_be_followed_by_anybodys(registry: Registry, clock: FrozenClock) -> None:
    old = lock(registry, hours=1)
    clock.advance(3600)
    new = lock(registry, BOB)
    assert (new.number, new.by) == (old.number + 1, BOB)
    assert not registry.locks.unlock(old, by=ADA)


def test_lock_and_unlock_are_announced_in_order_under_one_id(registry: Registry, clock: FrozenClock) -> None:
    made = lock(registry, hours=1)
    clock.advance(1)
    registry.locks.unlock(made, by=BOB, reason="over")
    rows = registry.outbox.rows(made.announcement_id)
    assert [(row.sequence, row.notice.kind) for row in rows] == [(1, NoticeKind.LOCKED), (2, NoticeKind.UNLOCKED)]
    assert rows[1].notice.facts["unlocked_by"] == BOB
    assert rows[1].notice.facts["environment"] == ENVIRONMENT
    assert registry.outbox.undelivered() == [made.announcement_id]


def test_the_audit_says_who_and_why_newest_first(registry: Registry, clock: FrozenClock) -> None:
    made = lock(registry)
    clock.advance(1)
    registry.locks.unlock(made, by=BOB, reason="the audit is over")
    newest, oldest = registry.locks.events(ENVIRONMENT)
    assert (newest.event, newest.by, oldest.event, oldest.by) == (
        "ENVIRONMENT_UNLOCKED",
        BOB,
        "ENVIRONMENT_LOCKED",
        ADA,
    )
    assert "the audit is over" in newest.details
    assert "audit" in oldest.details
    assert len(registry.locks.events(ENVIRONMENT, limit=1)) == 1


def test_promise_1_a_locked_environment_gets_no_new_holder_and_the_waiter_keeps_its_place(registry: Registry) -> None:
    enqueue(registry, 1)
    made = lock(registry)
    with pytest.raises(NotYourTurnError, match="locked by ada@laptop"):
        claim(registry, 1)
    assert registry.deployments.get(cid(1)).status is DeploymentStatus.QUEUED
    registry.locks.unlock(made, by=ADA)
    assert claim(registry, 1).fence == 1


def test_a_claim_is_granted_at_the_locks_end_and_not_before(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    lock(registry, hours=TICKET_SECONDS / 2 / 3600)
    clock.advance(TICKET_SECONDS / 2 - 0.000001)
    with pytest.raises(NotYourTurnError):
        claim(registry, 1)
    clock.advance(0.000001)
    assert claim(registry, 1).fence == 1


def test_an_open_freeze_window_keeps_out_as_a_lock_does(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    window = Lock(environment=ENVIRONMENT, by="the freeze window", reason="weekend", since=clock.now)
    with pytest.raises(NotYourTurnError, match="weekend"):
        registry.holds.claim(ENVIRONMENT, cid(1), lifetime_seconds=1, stack_is_quiet=True, window=window)


def test_a_lock_does_not_touch_who_deploys_already(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    hold = claim(registry, 1)
    lock(registry)
    registry.holds.check(hold)
    assert registry.holds.renew(hold, lifetime_seconds=HOLD_SECONDS).fence == hold.fence
    assert claim(registry, 1).fence == hold.fence + 1  # its adopter
    clock.advance(HOLD_SECONDS)
    assert claim(registry, 1, quiet=False).fence == hold.fence + 2


def test_what_has_begun_is_seen_through_in_spite_of_a_lock_and_without_calling_it_an_emergency(
    registry: Registry,
) -> None:
    enqueue(registry, 1)
    registry.deployments.record(cid(1), changes={"operation_token": cid(1)})
    lock(registry)
    assert claim(registry, 1).fence == 1
    assert "LOCK_OVERRIDDEN" not in events(registry)


def test_an_emergency_gets_the_hold_ahead_of_those_that_the_lock_holds_up(registry: Registry) -> None:
    enqueue(registry, 1)
    enqueue_emergency(registry, 2)
    with pytest.raises(NotYourTurnError, match="1 ahead"):
        claim(registry, 2)  # without a lock it waits as others do
    made = lock(registry)
    assert claim(registry, 2).owner == cid(2)
    registry.locks.unlock(made, by=ADA)
    with pytest.raises(NotYourTurnError):
        claim(registry, 1)


def test_emergencies_are_in_order_among_themselves_and_wait_for_the_holder(registry: Registry) -> None:
    enqueue(registry, 1)
    holder = claim(registry, 1)
    enqueue_emergency(registry, 2)
    enqueue_emergency(registry, 3)
    lock(registry)
    with pytest.raises(NotYourTurnError, match=cid(1)):
        claim(registry, 2)
    registry.holds.release(holder)
    with pytest.raises(NotYourTurnError, match=cid(2)):
        claim(registry, 3)
    assert claim(registry, 2).owner == cid(2)


def test_an_emergency_without_a_living_ticket_gets_nothing(registry: Registry, clock: FrozenClock) -> None:
    enqueue_emergency(registry, 1)
    lock(registry)
    clock.advance(TICKET_SECONDS)
    with pytest.raises(TicketLostError):
        claim(registry, 1)


def test_the_override_is_on_record_announced_and_audited_with_the_grant(registry: Registry) -> None:
    enqueue_emergency(registry, 1)
    lock(registry)
    claim(registry, 1)
    event = registry.deployments.get(cid(1)).events[-1]
    assert event.event == "LOCK_OVERRIDDEN"
    assert "the login is broken" in event.details
    assert "ada@laptop" in event.details
    assert BOB in event.details
    notice = registry.outbox.rows(cid(1))[-1].notice
    assert (notice.kind, notice.facts["override_reason"]) == (NoticeKind.LOCK_OVERRIDDEN, "the login is broken")
    audit = next(one for one in registry.locks.events(ENVIRONMENT) if one.event == "LOCK_OVERRIDDEN")
    assert (audit.by, audit.correlation_id) == (BOB, cid(1))


def test_an_emergency_in_an_open_environment_overrides_nothing(registry: Registry) -> None:
    enqueue_emergency(registry, 1)
    claim(registry, 1)
    assert registry.deployments.get(cid(1)).events == ()
    assert events(registry) == []


class Meanwhile:
    """A store where something happens between a rule's reading and its first write."""

    def __init__(self, behind: Store, registry: Registry) -> None:
        self._behind = behind
        self._registry = registry
        self.conflicts = 0
        self._is_locked = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._behind, name)

    def transact(self, writes: list[Write]) -> None:
        if not self._is_locked:
            self._is_locked = True
            lock(self._registry)
        try:
            self._behind.transact(writes)
        except ConflictError:
            self.conflicts += 1
            raise


@pytest.mark.parametrize("was_locked_before", [False, True])
def test_promise_1_of_a_lock_and_a_claim_at_once_the_lock_wins_if_it_was_written_first(
    store: Store, registry: Registry, clock: FrozenClock, was_locked_before: bool
) -> None:
    if was_locked_before:
        registry.locks.unlock(lock(registry), by=ADA)
    enqueue(registry, 1)
    meanwhile = Meanwhile(store, registry)
    with pytest.raises(NotYourTurnError, match="locked by"):
        claim(Registry(meanwhile, clock=clock), 1)  # type: ignore[arg-type]  # what it lacks is the store's own
    assert meanwhile.conflicts == 1
    assert registry.holds.current(ENVIRONMENT) is None
