import pytest

from interlock.errors import DeploymentNotFoundError
from interlock.models.notice import DeliveryState, NoticeKind, OutboxRow, SlackThread
from interlock.registry import Registry
from tests.unit.registry.kit import FrozenClock, cid, deployment, notice


def rows_of(registry: Registry, number: int) -> list[OutboxRow]:
    return registry.outbox.rows(cid(number))


def deliver(registry: Registry, row: OutboxRow, state: DeliveryState = DeliveryState.DELIVERED) -> None:
    registry.outbox.update(row.model_copy(update={"state": state, "attempts": row.attempts + 1, "slack_ts": "1.2"}))


def test_rows_are_numbered_over_all_transactions(registry: Registry) -> None:
    registry.deployments.register(deployment(), notices=[notice(), notice(NoticeKind.QUEUED)])
    registry.deployments.record(cid(1), notices=[notice(NoticeKind.DEPLOYING)])
    rows = rows_of(registry, 1)
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert [row.notice.kind for row in rows] == [NoticeKind.STARTED, NoticeKind.QUEUED, NoticeKind.DEPLOYING]


def test_undelivered_are_those_with_waiting_rows_oldest_first(registry: Registry, clock: FrozenClock) -> None:
    for number in (2, 1, 3):
        registry.deployments.register(deployment(number), notices=[notice(), notice()])
        clock.advance(1)
    assert registry.outbox.undelivered() == [cid(2), cid(1), cid(3)]
    assert registry.outbox.undelivered(limit=2) == [cid(2), cid(1)]
    for row in rows_of(registry, 2):
        deliver(registry, row)
    deliver(registry, rows_of(registry, 1)[0], DeliveryState.SKIPPED)
    assert registry.outbox.undelivered() == [cid(1), cid(3)]
    deliver(registry, rows_of(registry, 1)[1], DeliveryState.PARKED)
    assert registry.outbox.undelivered() == [cid(3)]


def test_an_updated_row_is_read_back_and_its_neighbours_stay(registry: Registry) -> None:
    registry.deployments.register(deployment(), notices=[notice(), notice()])
    first, second = rows_of(registry, 1)
    deliver(registry, first)
    updated = first.model_copy(update={"state": DeliveryState.DELIVERED, "attempts": 1, "slack_ts": "1.2"})
    assert rows_of(registry, 1) == [updated, second]


def test_a_row_that_no_longer_waits_never_waits_again(registry: Registry) -> None:
    registry.deployments.register(deployment(), notices=[notice()])
    [seen_waiting] = rows_of(registry, 1)
    deliver(registry, seen_waiting)
    before = rows_of(registry, 1)
    registry.outbox.update(seen_waiting.model_copy(update={"attempts": 7, "last_error": "Slack does not answer."}))
    assert rows_of(registry, 1) == before
    assert registry.outbox.undelivered() == []


def test_a_row_that_does_not_exist_is_not_made(registry: Registry) -> None:
    registry.deployments.register(deployment(), notices=[notice()])
    ghost = rows_of(registry, 1)[0].model_copy(update={"sequence": 2})
    with pytest.raises(DeploymentNotFoundError, match="no message 2"):
        registry.outbox.update(ghost)
    assert len(rows_of(registry, 1)) == 1


def test_a_thread_is_remembered(registry: Registry) -> None:
    assert registry.outbox.thread(cid(1)) is None
    for channel in ("C1", "C2"):
        thread = SlackThread(channel=channel, parent_ts="1.0")
        registry.outbox.save_thread(cid(1), thread)
        assert registry.outbox.thread(cid(1)) == thread
