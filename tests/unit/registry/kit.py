"""What the registry's tests share: a clock that stands still, and deployments made in one line."""

from datetime import UTC, datetime, timedelta
from typing import Any

from interlock.models.approval import Approval
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.models.queue import Hold
from interlock.registry import Registry

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ENVIRONMENT = "staging"
TICKET_SECONDS = 60
HOLD_SECONDS = 120


class FrozenClock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def cid(number: int) -> str:
    return f"20260301-120000-{number:08x}"


def deployment(number: int = 1, *, environment: str = ENVIRONMENT, flow_run_id: str | None = None) -> Deployment:
    moment = NOON + timedelta(seconds=number)
    return Deployment(
        correlation_id=cid(number),
        environment=environment,
        stack_name=f"app-{environment}",
        region="eu-central-1",
        started_at=moment,
        updated_at=moment,
        asked_at=moment,
        flow_run_id=flow_run_id or f"flow-run-{number}",
    )


def approval(*, minutes: float = 10, **changes: Any) -> Approval:
    """Asked for at noon."""
    asked = Approval(hash="9f2b6c41d8e0", requested_at=NOON, expires_at=NOON + timedelta(minutes=minutes))
    return asked.model_copy(update=changes)


def event(name: str) -> DeploymentEvent:
    return DeploymentEvent(timestamp=NOON, event=name)


def notice(kind: NoticeKind = NoticeKind.STARTED) -> Notice:
    return Notice(kind=kind, facts={"position": 1, "minutes": 2.5})


def enqueue(registry: Registry, number: int = 1, *, environment: str = ENVIRONMENT) -> None:
    """Registered, and with a ticket of `TICKET_SECONDS`."""
    one = deployment(number, environment=environment)
    registry.deployments.register(one)
    registry.queue.enqueue(environment, one.correlation_id, one.asked_at, lifetime_seconds=TICKET_SECONDS)


def claim(registry: Registry, number: int = 1, *, quiet: bool = True, environment: str = ENVIRONMENT) -> Hold:
    return registry.holds.claim(environment, cid(number), lifetime_seconds=HOLD_SECONDS, stack_is_quiet=quiet)
