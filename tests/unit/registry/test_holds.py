from datetime import timedelta

import pytest

from interlock.errors import (
    AlreadyFinishedError,
    DeploymentNotFoundError,
    HoldLostError,
    NotYourTurnError,
    TicketLostError,
)
from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import NoticeKind
from interlock.registry import Registry
from tests.unit.registry.kit import (
    ENVIRONMENT,
    HOLD_SECONDS,
    TICKET_SECONDS,
    FrozenClock,
    cid,
    claim,
    deployment,
    enqueue,
    event,
    notice,
)


def test_a_granted_claim_starts_the_deployment_in_one_step(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry)
    clock.advance(3)
    hold = registry.holds.claim(
        ENVIRONMENT,
        cid(1),
        lifetime_seconds=HOLD_SECONDS,
        stack_is_quiet=True,
        events=[event("HOLD_GRANTED")],
        notices=[notice(NoticeKind.DEPLOYING)],
    )
    assert (hold.owner, hold.fence, hold.granted_at) == (cid(1), 1, clock.now)
    assert hold.expires_at == clock.now + timedelta(seconds=HOLD_SECONDS)
    assert registry.holds.current(ENVIRONMENT) == hold
    assert registry.queue.waiting(ENVIRONMENT) == []
    found = registry.deployments.get(cid(1))
    assert (found.status, found.fence, found.deploying_since) == (DeploymentStatus.IN_PROGRESS, 1, clock.now)
    assert [one.event for one in found.events] == ["HOLD_GRANTED"]
    assert [row.notice.kind for row in registry.outbox.rows(cid(1))] == [NoticeKind.DEPLOYING]


def test_environments_have_holds_of_their_own(registry: Registry) -> None:
    enqueue(registry, 1)
    enqueue(registry, 2, environment="production")
    claim(registry, 1)
    assert claim(registry, 2, environment="production").fence == 1


def test_nobody_claims_without_a_living_ticket(registry: Registry, clock: FrozenClock) -> None:
    registry.deployments.register(deployment())
    with pytest.raises(TicketLostError):
        claim(registry)
    ticket = registry.queue.enqueue(ENVIRONMENT, cid(1), clock.now, lifetime_seconds=TICKET_SECONDS)
    clock.now = ticket.expires_at
    with pytest.raises(TicketLostError, match=cid(1)):
        claim(registry)
    clock.now -= timedelta(microseconds=1)
    assert claim(registry).fence == 1


def test_a_living_ticket_ahead_goes_first_and_a_dead_one_does_not(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    clock.advance(1)
    enqueue(registry, 2)
    with pytest.raises(NotYourTurnError, match="1 ahead in the queue"):
        claim(registry, 2)
    clock.advance(TICKET_SECONDS - 1)
    assert claim(registry, 2).owner == cid(2)


def test_a_live_hold_of_another_is_not_granted_up_to_its_expiry(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    hold = claim(registry, 1)
    clock.now = hold.expires_at - timedelta(microseconds=1)
    enqueue(registry, 2)
    with pytest.raises(NotYourTurnError, match=cid(1)):
        claim(registry, 2)
    clock.now = hold.expires_at
    taken = claim(registry, 2)
    assert (taken.owner, taken.fence) == (cid(2), 2)


def test_an_expired_hold_is_not_taken_over_while_its_stack_moves(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    clock.advance(HOLD_SECONDS)
    enqueue(registry, 2)
    with pytest.raises(NotYourTurnError, match="adopted first"):
        claim(registry, 2, quiet=False)
    assert claim(registry, 2).fence == 2


@pytest.mark.parametrize("seconds", [1, HOLD_SECONDS, 10 * HOLD_SECONDS])
def test_adopting_ones_own_hold_needs_no_ticket_and_shuts_the_older_process_out(
    registry: Registry, clock: FrozenClock, seconds: int
) -> None:
    enqueue(registry, 1)
    old = claim(registry, 1)
    since = clock.now
    enqueue(registry, 2)
    clock.advance(seconds)
    new = claim(registry, 1, quiet=False)
    assert (new.owner, new.fence) == (cid(1), 2)
    registry.holds.check(new)
    for use in (registry.holds.check, lambda hold: registry.holds.renew(hold, lifetime_seconds=1)):
        with pytest.raises(HoldLostError, match="fence 1 is lost"):
            use(old)
    found = registry.deployments.get(cid(1))
    assert (found.deploying_since, found.fence) == (since, 2)


def test_a_deployment_that_is_final_or_unknown_claims_nothing(registry: Registry) -> None:
    with pytest.raises(DeploymentNotFoundError):
        claim(registry, 1)
    enqueue(registry, 1)
    claim(registry, 1)
    registry.deployments.finish(cid(1), DeploymentStatus.FAILED)
    with pytest.raises(AlreadyFinishedError):
        claim(registry, 1)


def test_a_deployment_cannot_claim_another_environment(registry: Registry) -> None:
    enqueue(registry, 1)
    with pytest.raises(ValueError, match="not of production"):
        claim(registry, 1, environment="production")


def test_a_renewal_counts_from_now_and_is_possible_late(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    hold = claim(registry, 1)
    clock.advance(HOLD_SECONDS + 1)
    renewed = registry.holds.renew(hold, lifetime_seconds=HOLD_SECONDS)
    assert renewed.expires_at == clock.now + timedelta(seconds=HOLD_SECONDS)
    assert renewed.fence == hold.fence
    enqueue(registry, 2)
    with pytest.raises(NotYourTurnError):
        claim(registry, 2)


def test_who_was_taken_over_has_lost_the_hold(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    lost = claim(registry, 1)
    clock.advance(HOLD_SECONDS)
    registry.holds.check(lost)
    enqueue(registry, 2)
    new = claim(registry, 2)
    for use in (registry.holds.check, lambda hold: registry.holds.renew(hold, lifetime_seconds=1)):
        with pytest.raises(HoldLostError, match=f"{cid(2)} with fence 2"):
            use(lost)
    assert not registry.holds.release(lost)
    assert registry.holds.current(ENVIRONMENT) == new


def test_promise_8_releasing_twice_changes_nothing_and_the_fence_stays(registry: Registry) -> None:
    enqueue(registry, 1)
    hold = claim(registry, 1)
    assert registry.holds.release(hold)
    assert not registry.holds.release(hold)
    assert registry.holds.current(ENVIRONMENT) is None
    with pytest.raises(HoldLostError):
        registry.holds.check(hold)
    enqueue(registry, 2)
    assert claim(registry, 2).fence == 2
    assert not registry.holds.release(hold)


def test_a_free_environment_has_no_hold(registry: Registry) -> None:
    assert registry.holds.current(ENVIRONMENT) is None
    enqueue(registry, 1)
    assert claim(registry, 1, quiet=False).fence == 1
