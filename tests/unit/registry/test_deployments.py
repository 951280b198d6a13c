from datetime import timedelta

import pytest

from interlock.errors import AlreadyFinishedError, CorrelationIdTakenError, DeploymentNotFoundError
from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import NoticeKind
from interlock.registry import Registry
from interlock.registry.keys import event_key, history_key, record_key
from interlock.registry.store import Put, Store
from tests.unit.registry.kit import ENVIRONMENT, NOON, FrozenClock, cid, deployment, enqueue, event, notice

FINAL = [status for status in DeploymentStatus if status.is_final]


def test_a_deployment_is_read_as_it_was_registered(registry: Registry) -> None:
    one = deployment().model_copy(update={"events": (event("DEPLOYMENT_REQUESTED"),), "outputs": {"Url": "https://a"}})
    assert registry.deployments.register(one, notices=[notice()]) == one
    assert registry.deployments.get(cid(1)) == one
    assert registry.deployments.get(cid(1), with_events=False).events == ()
    assert [row.notice for row in registry.outbox.rows(cid(1))] == [notice()]


def test_a_correlation_id_is_given_once_and_nothing_of_the_second_is_written(registry: Registry) -> None:
    registry.deployments.register(deployment(flow_run_id="one"))
    second = deployment(flow_run_id="two").model_copy(update={"events": (event("DEPLOYMENT_REQUESTED"),)})
    with pytest.raises(CorrelationIdTakenError, match=cid(1)):
        registry.deployments.register(second, notices=[notice()])
    assert registry.deployments.get(cid(1)).events == ()
    assert registry.deployments.of_flow_run("two") is None
    assert registry.outbox.rows(cid(1)) == []


def test_an_unknown_deployment_is_an_error_that_names_it(registry: Registry) -> None:
    with pytest.raises(DeploymentNotFoundError, match=cid(7)):
        registry.deployments.get(cid(7))
    with pytest.raises(DeploymentNotFoundError):
        registry.deployments.record(cid(7))
    with pytest.raises(DeploymentNotFoundError):
        registry.deployments.finish(cid(7), DeploymentStatus.FAILED)


def test_a_flow_run_has_its_latest_deployment(registry: Registry) -> None:
    assert registry.deployments.of_flow_run("run") is None
    for number in (1, 2):
        registry.deployments.register(deployment(number, flow_run_id="run"))
        found = registry.deployments.of_flow_run("run")
        assert found
        assert found.correlation_id == cid(number)


def test_recording_adds_events_and_changes_and_moves_updated_at(registry: Registry, clock: FrozenClock) -> None:
    registry.deployments.register(deployment())
    clock.advance(5)
    registry.deployments.record(cid(1), events=[event("A"), event("B")], changes={"stack_status": "UPDATE_IN_PROGRESS"})
    registry.deployments.record(cid(1), events=[event("C")])
    found = registry.deployments.get(cid(1))
    assert [one.event for one in found.events] == ["A", "B", "C"]
    assert found.stack_status == "UPDATE_IN_PROGRESS"
    assert found.updated_at == clock.now


def test_a_new_flow_run_finds_the_deployment_that_it_carries_on(registry: Registry) -> None:
    registry.deployments.register(deployment())
    registry.deployments.record(cid(1), changes={"flow_run_id": "second"})
    found = registry.deployments.of_flow_run("second")
    assert found
    assert found.correlation_id == cid(1)


@pytest.mark.parametrize("changes", [{"correlation_id": "x"}, {"events": ()}, {"no_such_field": 1}, {"fence": "many"}])
def test_a_change_that_makes_no_sense_is_refused(registry: Registry, changes: dict[str, object]) -> None:
    registry.deployments.register(deployment())
    with pytest.raises(ValueError, match=r"cannot be changed|validation error"):
        registry.deployments.record(cid(1), changes=changes)


def test_hundreds_of_events_in_one_go_keep_their_order(registry: Registry) -> None:
    registry.deployments.register(deployment())
    names = [f"E{number}" for number in range(250)]
    registry.deployments.record(cid(1), events=[event(name) for name in names], notices=[notice()])
    assert [one.event for one in registry.deployments.get(cid(1)).events] == names


@pytest.mark.parametrize("status", FINAL)
def test_finishing_is_final(registry: Registry, clock: FrozenClock, status: DeploymentStatus) -> None:
    enqueue(registry)
    clock.advance(9)
    assert registry.deployments.finish(cid(1), status, reason="why", changes={"application_url": "https://a"})
    found = registry.deployments.get(cid(1))
    assert (found.status, found.reason, found.finished_at) == (status, "why", clock.now)
    assert found.application_url == "https://a"
    assert registry.queue.waiting(ENVIRONMENT) == []
    assert registry.deployments.active() == []


def test_promise_8_finishing_twice_writes_nothing(registry: Registry, clock: FrozenClock) -> None:
    registry.deployments.register(deployment())
    registry.deployments.finish(cid(1), DeploymentStatus.SUCCEEDED, reason="done", events=[event("DONE")])
    before = registry.deployments.get(cid(1)), registry.outbox.rows(cid(1))
    clock.advance(1)
    again = registry.deployments.finish(
        cid(1), DeploymentStatus.FAILED, reason="no", events=[event("X")], notices=[notice()], changes={"fence": 9}
    )
    assert not again
    assert (registry.deployments.get(cid(1)), registry.outbox.rows(cid(1))) == before


def test_a_final_deployment_takes_events_and_notices_but_no_status(registry: Registry) -> None:
    registry.deployments.register(deployment())
    registry.deployments.finish(cid(1), DeploymentStatus.FAILED)
    registry.deployments.record(cid(1), events=[event("LATE")], notices=[notice(NoticeKind.MONITOR_GAP)])
    for status in (DeploymentStatus.IN_PROGRESS, DeploymentStatus.SUCCEEDED):
        with pytest.raises(AlreadyFinishedError, match=cid(1)):
            registry.deployments.record(cid(1), events=[event("NO")], changes={"status": status})
    assert [one.event for one in registry.deployments.get(cid(1)).events] == ["LATE"]
    assert len(registry.outbox.rows(cid(1))) == 1


def test_only_finish_sets_a_final_status(registry: Registry) -> None:
    registry.deployments.register(deployment())
    with pytest.raises(ValueError, match="finish"):
        registry.deployments.record(cid(1), changes={"status": "FAILED"})
    with pytest.raises(ValueError, match="not final"):
        registry.deployments.finish(cid(1), DeploymentStatus.QUEUED)


def test_history_is_of_one_environment_newest_first(registry: Registry) -> None:
    for number in range(1, 6):
        registry.deployments.register(deployment(number))
    registry.deployments.register(deployment(9, environment="production"))
    assert [one.correlation_id for one in registry.deployments.history(ENVIRONMENT, limit=3)] == [
        cid(5),
        cid(4),
        cid(3),
    ]
    assert [one.correlation_id for one in registry.deployments.history("production")] == [cid(9)]
    assert registry.deployments.history("nowhere") == []


def test_active_are_those_of_all_environments_that_are_not_final(registry: Registry) -> None:
    for number, environment in ((3, "production"), (1, "staging"), (2, "staging")):
        registry.deployments.register(deployment(number, environment=environment))
    registry.deployments.finish(cid(2), DeploymentStatus.CANCELLED)
    assert [one.correlation_id for one in registry.deployments.active()] == [cid(1), cid(3)]


def test_a_finished_deployment_expires_400_days_after_its_end_and_an_active_one_never(
    registry: Registry, store: Store, clock: FrozenClock
) -> None:
    registry.deployments.register(deployment())
    registry.deployments.record(cid(1), events=[event("A")])
    stored = [store.get(key) for key in (record_key(cid(1)), event_key(cid(1), 1), history_key(deployment()))]
    kept_until = NOON + timedelta(days=400)
    assert [item and item.expires_at for item in stored] == [None, kept_until, kept_until]
    clock.advance(60)
    registry.deployments.finish(cid(1), DeploymentStatus.SUCCEEDED)
    clock.advance(60)
    registry.deployments.record(cid(1), events=[event("LATE")])
    record = store.get(record_key(cid(1)))
    assert record
    assert record.expires_at == NOON + timedelta(days=400, seconds=60)


def test_a_record_of_a_newer_version_is_still_read(registry: Registry, store: Store) -> None:
    registry.deployments.register(deployment())
    item = store.get(record_key(cid(1)))
    assert item
    store.transact([Put(key=item.key, attributes=item.attributes | {"from_the_future": 1}, expect=item.version)])
    assert registry.deployments.get(cid(1)) == deployment()
