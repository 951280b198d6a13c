"""A registry and a Slack in memory, with the failures that the real ones have, and a clock that only tests move."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum

from interlock.errors import DeploymentNotFoundError, SlackRefusedError, SlackUnavailableError
from interlock.models.deployment import Deployment
from interlock.models.notice import DeliveryState, Notice, NoticeKind, OutboxRow, SlackThread
from interlock.notifications.card import Card
from interlock.notifications.slack import SlackMessageGoneError
from tests.unit.notifications.catalogue import ASKED_AT

CHANNEL = "#deployments"


class Clock:
    def __init__(self) -> None:
        self.now = ASKED_AT

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class KilledError(BaseException):
    """The process ends here: nothing that it would still have done is done."""


class MemoryRegistry:
    """All three parts in one. After a kill it does nothing more for the process that died."""

    def __init__(self, clock: Clock, *deployments: Deployment) -> None:
        self._clock = clock
        self._deployments = {one.correlation_id: one for one in deployments}
        self._rows: dict[str, list[OutboxRow]] = {one.correlation_id: [] for one in deployments}
        self._threads: dict[str, SlackThread] = {}
        self._leases: dict[str, tuple[str, datetime]] = {}
        self.is_dead = False

    @property
    def outbox(self) -> "MemoryRegistry":
        return self

    @property
    def leases(self) -> "MemoryRegistry":
        return self

    @property
    def deployments(self) -> "MemoryRegistry":
        return self

    def write(self, correlation_id: str, notice: Notice) -> None:
        rows = self._rows[correlation_id]
        now = self._clock()
        rows.append(OutboxRow(correlation_id=correlation_id, sequence=len(rows) + 1, notice=notice, written_at=now))

    def get(self, correlation_id: str) -> Deployment:
        if correlation_id not in self._deployments:
            raise DeploymentNotFoundError("No such deployment.", correlation_id=correlation_id)
        return self._deployments[correlation_id]

    def forget(self, correlation_id: str) -> None:
        """The record expires before its rows do."""
        del self._deployments[correlation_id]

    def rows(self, correlation_id: str) -> list[OutboxRow]:
        return list(self._rows[correlation_id])

    def undelivered(self, *, limit: int = 100) -> list[str]:
        waiting = [cid for cid, rows in self._rows.items() if any(row.state is DeliveryState.WAITING for row in rows)]
        return waiting[:limit]

    def update(self, row: OutboxRow) -> None:
        self._refuse_the_dead()
        self._rows[row.correlation_id][row.sequence - 1] = row

    def thread(self, correlation_id: str) -> SlackThread | None:
        return self._threads.get(correlation_id)

    def save_thread(self, correlation_id: str, thread: SlackThread) -> None:
        self._refuse_the_dead()
        self._threads[correlation_id] = thread

    def acquire(self, name: str, owner: str, *, lifetime_seconds: float) -> bool:
        self._refuse_the_dead()
        holder, expires_at = self._leases.get(name, (owner, self._clock()))
        if holder != owner and expires_at > self._clock():
            return False
        self._leases[name] = (owner, self._clock() + timedelta(seconds=lifetime_seconds))
        return True

    def release(self, name: str, owner: str) -> bool:
        self._refuse_the_dead()
        if self._leases.get(name, ("", None))[0] != owner:
            return False
        del self._leases[name]
        return True

    def _refuse_the_dead(self) -> None:
        if self.is_dead:
            raise KilledError


class Trouble(StrEnum):
    """What a call to Slack may come to."""

    NONE = "none"
    REFUSED = "refused"
    GONE = "gone"
    RATE_LIMITED = "rate_limited"
    HTTP_500 = "http_500"
    TIMEOUT = "timeout"
    INVALID_JSON = "invalid_json"
    ANSWER_LOST = "answer_lost"
    KILLED_BEFORE = "killed_before"
    KILLED_AFTER = "killed_after"

    @property
    def is_applied(self) -> bool:
        return self in (Trouble.NONE, Trouble.ANSWER_LOST, Trouble.KILLED_AFTER)


class MemorySlack:
    """Stands where `slack.Slack` stands. `troubles` meet the calls one by one, then all is well."""

    def __init__(self, clock: Clock, troubles: Iterable[Trouble] = ()) -> None:
        self._clock = clock
        self._troubles = iter(troubles)
        self._is_busy = False
        self._count = 0
        self.calls: list[str] = []
        self.parents: dict[str, Card] = {}
        self.replies: list[tuple[Card, Trouble]] = []
        self.met: list[Trouble] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.on_kill: Callable[[], None] = lambda: None

    @property
    def told(self) -> list[Card]:
        """The replies whose answer arrived."""
        return [card for card, trouble in self.replies if trouble is Trouble.NONE]

    def post(self, channel: str, card: Card) -> SlackThread:
        ts = self._next_ts()
        with self._call("post") as trouble:
            if trouble.is_applied:
                self.parents[ts] = card
        return SlackThread(channel=channel, parent_ts=ts)

    def reply(self, thread: SlackThread, card: Card, *, broadcast: bool = False) -> str:
        assert thread.parent_ts in self.parents
        ts = self._next_ts()
        with self._call("broadcast" if broadcast else "reply") as trouble:
            if trouble.is_applied:
                self.replies.append((card, trouble))
        return ts

    def update(self, thread: SlackThread, card: Card) -> None:
        with self._call("update") as trouble:
            if trouble.is_applied:
                self.parents[thread.parent_ts] = card

    @contextmanager
    def _call(self, name: str) -> Iterator[Trouble]:
        assert not self._is_busy, "two deliverers speak at once"
        trouble = next(self._troubles, Trouble.NONE)
        self.met.append(trouble)
        self.calls.append(name)
        self._is_busy = True
        self.meanwhile()
        self._is_busy = False
        yield trouble
        self._answer(trouble, name)

    def _answer(self, trouble: Trouble, name: str) -> None:
        match trouble:
            case Trouble.NONE:
                return
            case Trouble.REFUSED:
                raise SlackRefusedError("Slack refused: channel_not_found.")
            case Trouble.GONE:
                raise SlackMessageGoneError("gone") if name == "update" else SlackRefusedError("gone")
            case Trouble.RATE_LIMITED:
                raise SlackUnavailableError("Slack asks us to wait (ratelimited).", retry_after_seconds=30)
            case Trouble.KILLED_BEFORE | Trouble.KILLED_AFTER:
                self.on_kill()
                raise KilledError
            case _:
                raise SlackUnavailableError(f"Slack: {trouble}.")

    def _next_ts(self) -> str:
        self._count += 1
        return f"{self._clock().timestamp():.0f}.{self._count:06d}"


def notice(kind: NoticeKind = NoticeKind.STARTED, number: int = 0) -> Notice:
    """A notice that can be told from others of its kind by its facts, where the kind has any."""
    facts = {
        "actor": f"ada-{number}",
        "seconds": number,
        "silent_seconds": number,
        "position": number,
        "by": f"{number}",
    }
    return Notice(kind=kind, facts={**facts, "error": f"error {number}", "what": f"thing {number}"})
