"""Real connections, real losses."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from interlock.errors import HoldLostError, NotYourTurnError, RegistryUnavailableError
from interlock.models.deployment import DeploymentStatus
from interlock.registry import Registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.rehearsal.aws.process import RehearsalAws
from tests.unit.registry.kit import ENVIRONMENT, HOLD_SECONDS, FrozenClock, cid, claim, enqueue, event

NewStore = Callable[[], DynamoDbStore]


def lost_answer(times: int = 1) -> dict[str, object]:
    return {"service": "dynamodb", "action": "TransactWriteItems", "kind": "after", "status": 500, "times": times}


def test_applied_answer_lost_is_success(registry: Registry, registry_aws: RehearsalAws) -> None:
    registry_aws.set_faults([lost_answer(3)])
    enqueue(registry, 1)
    assert claim(registry, 1).fence == 1
    assert registry.holds.current(ENVIRONMENT)


def test_a_finish_whose_answer_was_lost_counts_as_this_ones(registry: Registry, registry_aws: RehearsalAws) -> None:
    enqueue(registry, 1)
    registry_aws.set_faults([lost_answer()])
    assert registry.deployments.finish(cid(1), DeploymentStatus.FAILED, events=[event("DONE")])
    assert not registry.deployments.finish(cid(1), DeploymentStatus.FAILED)
    assert len(registry.deployments.get(cid(1)).events) == 1


@pytest.mark.parametrize("action", ["GetItem", "Query", "BatchGetItem"])
def test_reads_cut_short_are_read_again(registry: Registry, registry_aws: RehearsalAws, action: str) -> None:
    enqueue(registry, 1)
    registry_aws.set_faults([{"service": "dynamodb", "action": action, "kind": "truncate", "times": 2}])
    assert registry.deployments.get(cid(1)).correlation_id == cid(1)
    assert [ticket.correlation_id for ticket in registry.queue.waiting(ENVIRONMENT)] == [cid(1)]
    assert [one.correlation_id for one in registry.deployments.active()] == [cid(1)]


def test_a_registry_that_keeps_failing_is_unavailable(registry: Registry, registry_aws: RehearsalAws) -> None:
    fault = {"service": "dynamodb", "kind": "error", "status": 500, "code": "InternalServerError", "times": -1}
    registry_aws.set_faults([fault])
    with pytest.raises(RegistryUnavailableError, match="does not answer"):
        registry.holds.current(ENVIRONMENT)


def test_an_address_where_nobody_listens_is_unavailable_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_ACCESS_KEY_ID", "test")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    started = time.monotonic()
    with pytest.raises(RegistryUnavailableError, match="does not answer"):
        Registry(DynamoDbStore("table", "us-east-1")).deployments.active()
    assert time.monotonic() - started < 20


def test_promise_1_adopting_at_once_gives_fences_of_their_own(new_store: NewStore) -> None:
    registries = [Registry(new_store(), clock=FrozenClock()) for _ in range(4)]
    enqueue(registries[0], 1)
    with ThreadPoolExecutor(4) as pool:
        fences = list(pool.map(lambda registry: [claim(registry, 1).fence for _ in range(3)], registries))
    assert sorted(fence for some in fences for fence in some) == list(range(1, 13))
    assert all(some == sorted(some) for some in fences)


def test_promise_1_of_a_renewal_and_takeovers_at_once_exactly_one_wins(new_store: NewStore) -> None:
    clock = FrozenClock()
    ours, theirs = Registry(new_store(), clock=clock), Registry(new_store(), clock=clock)
    for number in range(2, 16, 2):
        enqueue(ours, number)
        old = claim(ours, number)
        clock.advance(HOLD_SECONDS)
        enqueue(ours, number + 1)
        with ThreadPoolExecutor(2) as pool:
            renewal = pool.submit(ours.holds.renew, old, lifetime_seconds=60)
            takeover = pool.submit(claim, theirs, number + 1)
        outcome = (type(renewal.exception()), type(takeover.exception()))
        assert outcome in ((type(None), NotYourTurnError), (HoldLostError, type(None)))
        current = ours.holds.current(ENVIRONMENT)
        assert current
        ours.holds.release(current)
        ours.queue.leave(ENVIRONMENT, cid(number + 1))
