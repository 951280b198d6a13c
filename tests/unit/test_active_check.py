"""What the active check finds, tells and does, by the environment's queue policy."""

from datetime import timedelta

import pytest

from interlock.active_check import ActiveCheck
from interlock.correlation_id import new_recovery_id
from interlock.errors import DeploymentInProgressError, EnvironmentLockedError
from interlock.models.approval import Decision
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import Environment, QueuePolicy
from interlock.models.notice import NoticeKind
from interlock.models.outcome import outcome_of_error
from interlock.models.stack import Stack
from interlock.registry import Registry
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, approval, cid, claim, deployment, enqueue


def check(registry: Registry, clock: FrozenClock, policy: QueuePolicy = QueuePolicy.WAIT) -> ActiveCheck:
    environment = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1", queue_policy=policy)
    return ActiveCheck(registry, environment, clock)


def stack(status: str) -> Stack:
    return Stack(name="app", stack_id="arn:stack/app/1", status=status)


def test_nothing_is_ahead_in_a_free_environment(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    finding = check(registry, clock).look(registry.deployments.get(cid(1)), stack("UPDATE_COMPLETE"))
    assert not finding.is_busy
    assert registry.outbox.rows(cid(1)) == []


def test_the_holder_is_named_with_its_start_and_the_place_in_the_queue(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    enqueue(registry, 2)
    enqueue(registry, 3)
    finding = check(registry, clock).look(registry.deployments.get(cid(3)), stack("UPDATE_IN_PROGRESS"))
    assert (finding.holder, finding.position) == (cid(1), 1)
    notice = registry.outbox.rows(cid(3))[-1].notice
    assert notice.kind is NoticeKind.QUEUED
    assert notice.facts["holder"] == cid(1)
    assert notice.facts["position"] == 2


def test_without_any_history_the_estimate_is_wide_and_grows_with_the_queue(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    enqueue(registry, 2)
    enqueue(registry, 3)
    finding = check(registry, clock).look(registry.deployments.get(cid(3)), None)
    assert finding.wait is not None
    assert finding.wait.p50_seconds == pytest.approx(2 * 120)
    assert finding.wait.p90_seconds > 1200


def test_an_operation_of_another_tool_has_to_end_first(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    busy = stack("UPDATE_IN_PROGRESS").model_copy(update={"last_updated_time": clock()})
    finding = check(registry, clock).look(registry.deployments.get(cid(1)), busy)
    assert finding.holder_is_foreign
    assert finding.wait is not None
    assert finding.wait.p50_seconds == pytest.approx(120)


def test_the_holders_own_monitor_says_when_it_will_end(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    expected = {"likely_finish": clock() + timedelta(seconds=40), "late_finish": clock() + timedelta(seconds=70)}
    registry.deployments.record(cid(1), changes=expected)
    enqueue(registry, 2)
    clock.advance(10)
    finding = check(registry, clock).look(registry.deployments.get(cid(2)), None)
    assert finding.wait is not None
    assert (finding.wait.p50_seconds, finding.wait.p90_seconds) == (30, 60)


def test_a_strangers_operation_is_shown_as_the_holder(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    finding = check(registry, clock).look(registry.deployments.get(cid(1)), stack("UPDATE_IN_PROGRESS"))
    assert finding.holder_is_foreign
    assert "another tool" in finding.in_words


def test_a_recovery_of_the_stack_is_shown_as_the_holder_and_is_on_no_record(
    registry: Registry, clock: FrozenClock
) -> None:
    hold = registry.holds.claim_for_recovery(ENVIRONMENT, new_recovery_id(clock()), lifetime_seconds=60)
    enqueue(registry, 1)
    finding = check(registry, clock).look(registry.deployments.get(cid(1)), stack("UPDATE_ROLLBACK_IN_PROGRESS"))
    assert (finding.holder, finding.holder_kind) == (hold.owner, "recovery")
    clock.advance(60)
    assert not check(registry, clock).look(registry.deployments.get(cid(1)), stack("UPDATE_COMPLETE")).is_busy
    clock.advance(-60)
    with pytest.raises(DeploymentInProgressError, match=str(hold.owner)):
        check(registry, clock, QueuePolicy.REJECT).look(registry.deployments.get(cid(1)), None)


def test_with_reject_a_busy_environment_is_an_error_with_the_fixed_words(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    enqueue(registry, 2)
    with pytest.raises(DeploymentInProgressError, match="Deployment already in progress") as caught:
        check(registry, clock, QueuePolicy.REJECT).look(registry.deployments.get(cid(2)), None)
    assert cid(1) in str(caught.value)


def test_with_latest_the_waiting_are_superseded_and_the_running_is_not(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    enqueue(registry, 2)
    enqueue(registry, 3)
    check(registry, clock, QueuePolicy.LATEST).look(registry.deployments.get(cid(3)), None)
    assert registry.deployments.get(cid(1)).status is DeploymentStatus.IN_PROGRESS
    superseded = registry.deployments.get(cid(2))
    assert superseded.status is DeploymentStatus.SUPERSEDED
    assert cid(3) in (superseded.reason or "")
    assert [ticket.correlation_id for ticket in registry.queue.waiting(ENVIRONMENT)] == [cid(3)]


def test_a_lock_makes_a_request_queue_and_is_named_with_its_reason(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    lock = registry.locks.lock(ENVIRONMENT, by="ada", reason="audit", until=clock() + timedelta(hours=2))
    finding = check(registry, clock).look(registry.deployments.get(cid(1)), None)
    assert finding.lock == lock
    assert "locked by ada" in finding.in_words
    notice = registry.outbox.rows(cid(1))[-1].notice
    assert notice.kind is NoticeKind.QUEUED
    assert notice.facts.items() >= lock.facts.items()


def test_with_reject_a_lock_is_an_error_that_names_it_and_exits_as_busy(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    with pytest.raises(EnvironmentLockedError, match=r"locked by ada .*: audit") as caught:
        check(registry, clock, QueuePolicy.REJECT).look(registry.deployments.get(cid(1)), None)
    outcome = outcome_of_error(caught.value)
    assert (outcome.status, outcome.exit_code, outcome.locked) == (DeploymentStatus.REJECTED, 2, True)


def emergency(registry: Registry, number: int) -> Deployment:
    one = deployment(number).model_copy(update={"lock_override": "the login is broken"})
    registry.deployments.register(one)
    registry.queue.enqueue(ENVIRONMENT, cid(number), one.asked_at, lifetime_seconds=60, passes_locks=True)
    return one


def test_an_emergency_does_not_queue_for_a_lock_or_for_those_whom_it_keeps_waiting(
    registry: Registry, clock: FrozenClock
) -> None:
    enqueue(registry, 1)
    registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    finding = check(registry, clock, QueuePolicy.REJECT).look(emergency(registry, 2), None)
    assert not finding.is_busy


def test_with_latest_a_newer_request_that_a_lock_keeps_out_does_not_supersede_an_emergency(
    registry: Registry, clock: FrozenClock
) -> None:
    emergency(registry, 1)
    registry.locks.lock(ENVIRONMENT, by="ada", reason="audit")
    enqueue(registry, 2)
    check(registry, clock, QueuePolicy.LATEST).look(registry.deployments.get(cid(2)), None)
    assert registry.deployments.get(cid(1)).status is DeploymentStatus.QUEUED


def ask(registry: Registry, number: int) -> None:
    """It has left the queue, and waits for a person."""
    registry.queue.leave(ENVIRONMENT, cid(number))
    registry.deployments.record(cid(number), changes={"approval": approval()})


def test_with_latest_one_that_waits_for_approval_is_superseded_by_a_newer_one_only(
    registry: Registry, clock: FrozenClock
) -> None:
    for number in (1, 2, 3):
        enqueue(registry, number)
    ask(registry, 1)
    ask(registry, 3)
    check(registry, clock, QueuePolicy.LATEST).look(registry.deployments.get(cid(2)), stack("UPDATE_COMPLETE"))
    assert registry.deployments.get(cid(1)).status is DeploymentStatus.SUPERSEDED
    assert registry.deployments.get(cid(3)).status is DeploymentStatus.QUEUED


def test_with_reject_one_that_was_approved_waits_like_any_other(registry: Registry, clock: FrozenClock) -> None:
    enqueue(registry, 1)
    claim(registry, 1)
    enqueue(registry, 2)
    registry.deployments.record(cid(2), changes={"approval": approval(decision=Decision.APPROVE)})
    finding = check(registry, clock, QueuePolicy.REJECT).look(registry.deployments.get(cid(2)), None)
    assert finding.holder == cid(1)
