"""What delivery needs from the registry and from Slack, as they look from here."""

from typing import Protocol

from interlock.models.deployment import Deployment
from interlock.models.notice import OutboxRow, SlackThread
from interlock.notifications.card import Card


class Outbox(Protocol):
    def rows(self, correlation_id: str) -> list[OutboxRow]: ...
    def undelivered(self, *, limit: int = 100) -> list[str]: ...
    def update(self, row: OutboxRow) -> None: ...
    def thread(self, correlation_id: str) -> SlackThread | None: ...
    def save_thread(self, correlation_id: str, thread: SlackThread) -> None: ...


class Leases(Protocol):
    def acquire(self, name: str, owner: str, *, lifetime_seconds: float) -> bool: ...
    def release(self, name: str, owner: str) -> bool: ...


class Deployments(Protocol):
    def get(self, correlation_id: str) -> Deployment: ...


class Registry(Protocol):
    """Read-only properties: the real registry's parts may be narrower types."""

    @property
    def outbox(self) -> Outbox: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def deployments(self) -> Deployments: ...


class SlackApi(Protocol):
    """Slack, as `slack.Slack` speaks to it.

    Every method raises SlackUnavailableError (may work later; the call may have been applied) or SlackRefusedError
    (never will), and `update` raises SlackMessageGoneError when the message to edit is no longer there.
    """

    def post(self, channel: str, card: Card) -> SlackThread: ...
    def reply(self, thread: SlackThread, card: Card, *, broadcast: bool = False) -> str: ...
    def update(self, thread: SlackThread, card: Card) -> None: ...
