"""A registry that may die and a Slack in memory, with the failures that the real ones have, and a clock that only tests move."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum

from interlock.errors import SlackRefusedError, SlackUnavailableError
from interlock.models.deployment import Deployment
from interlock.models.notice import Notice, NoticeKind, SlackThread
from interlock.notifications.audience import Audience
from interlock.notifications.card import Card
from interlock.notifications.delivery import Deliverer
from interlock.notifications.pace import Patience
from interlock.notifications.ports import SlackApi
from interlock.notifications.report import DeliveryReport
from interlock.notifications.slack import SlackMessageGoneError
from interlock.registry import Registry
from interlock.registry.keys import record_key
from interlock.registry.memory import MemoryStore
from interlock.registry.store import Delete, Item, Key, Store, Write
from tests.unit.notifications.catalogue import ASKED_AT

CHANNEL = "#deployments"
RETRY_AFTER_SECONDS = 30


class Clock:
    def __init__(self) -> None:
        self.now = ASKED_AT

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class KilledError(BaseException):
    """The process ends here: nothing that it would still have done is done."""


class MortalStore:
    """A store that a process may die over, and that says when it is used: others may act right before each use."""

    def __init__(self, behind: Store) -> None:
        self._behind = behind
        self.is_dead = False
        self.meanwhile: Callable[[], None] = lambda: None

    def prepare(self) -> None:
        self._behind.prepare()

    def get(self, key: Key) -> Item | None:
        return self._living().get(key)

    def get_many(self, keys: Sequence[Key]) -> list[Item]:
        return self._living().get_many(keys)

    def query(
        self, partition: str, sort_prefix: str, *, descending: bool = False, limit: int | None = None
    ) -> list[Item]:
        return self._living().query(partition, sort_prefix, descending=descending, limit=limit)

    def keys_in_index(self, name: str) -> list[Key]:
        return self._living().keys_in_index(name)

    def transact(self, writes: Sequence[Write]) -> None:
        self._living().transact(writes)

    def _living(self) -> Store:
        if self.is_dead:
            raise KilledError
        self.meanwhile()
        return self._behind


class MortalRegistry(Registry):
    """The real rules over a store of choice. After a kill it does nothing more for the process that died."""

    def __init__(self, clock: Clock, *deployments: Deployment, store: Store | None = None) -> None:
        self.store = MortalStore(store or MemoryStore())
        super().__init__(self.store, clock=clock)
        for one in deployments:
            self.deployments.register(one)

    def write(self, correlation_id: str, *notices: Notice) -> None:
        self.deployments.record(correlation_id, notices=notices)

    def forget(self, correlation_id: str) -> None:
        """The record expires before its rows do."""
        self.store.transact([Delete(key=record_key(correlation_id), expect=None)])


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
    """Stands where `slack.Slack` stands. `troubles` meet the calls one by one, then all is well.

    It insists on what Slack insists on: one caller at a time for a deployment, a message a second in a channel, and
    silence when it said Retry-After.
    """

    def __init__(self, clock: Clock, troubles: Iterable[Trouble] = ()) -> None:
        self._clock = clock
        self._troubles = iter(troubles)
        self._is_busy = False
        self._count = 0
        self._silent_until = clock()
        self._next_message_at: dict[str, datetime] = defaultdict(clock)
        self.calls: list[str] = []
        self.parents: dict[str, Card] = {}
        self.replies: list[tuple[Card, Trouble]] = []
        self.met: list[Trouble] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.gives_no_links = False
        self.on_kill: Callable[[], None] = lambda: None

    @property
    def told(self) -> list[Card]:
        """The replies whose answer arrived."""
        return [card for card, trouble in self.replies if trouble is Trouble.NONE]

    def post(self, channel: str, card: Card) -> SlackThread:
        ts = self._next_ts()
        with self._call("post", channel.removeprefix("#")) as trouble:
            if trouble.is_applied:
                self.parents[ts] = card
        return SlackThread(channel=channel, parent_ts=ts)

    def reply(self, thread: SlackThread, card: Card, *, broadcast: bool = False) -> str:
        assert thread.parent_ts in self.parents
        ts = self._next_ts()
        with self._call("broadcast" if broadcast else "reply", thread.channel.removeprefix("#")) as trouble:
            if trouble.is_applied:
                self.replies.append((card, trouble))
        return ts

    def link(self, thread: SlackThread) -> str:
        if self.gives_no_links:
            raise SlackUnavailableError("Slack does not answer.")
        return f"https://example.slack.com/{thread.parent_ts}"

    def update(self, thread: SlackThread, card: Card) -> None:
        with self._call("update", thread.channel.removeprefix("#")) as trouble:
            if trouble.is_applied:
                self.parents[thread.parent_ts] = card

    @contextmanager
    def _call(self, name: str, channel: str) -> Iterator[Trouble]:
        assert not self._is_busy, "two deliverers speak at once"
        assert self._clock() >= self._silent_until, "Slack asked to be left alone"
        assert name == "update" or self._clock() >= self._next_message_at[channel], "two messages in a second"
        trouble = next(self._troubles, Trouble.NONE)
        self.met.append(trouble)
        self.calls.append(name)
        self._is_busy = True
        self.meanwhile()
        self._is_busy = False
        self._next_message_at[channel] = self._clock() + timedelta(seconds=name != "update")
        yield trouble
        self._answer(trouble, name)

    def _answer(self, trouble: Trouble, name: str) -> None:
        match trouble:
            case Trouble.NONE:
                return
            case Trouble.REFUSED:
                raise SlackRefusedError("Slack refused: channel_not_found.")
            case Trouble.GONE:
                raise SlackRefusedError("gone") if name == "post" else SlackMessageGoneError("gone")
            case Trouble.RATE_LIMITED:
                self._silent_until = self._clock() + timedelta(seconds=RETRY_AFTER_SECONDS)
                raise SlackUnavailableError(
                    "Slack asks us to wait (ratelimited).", retry_after_seconds=RETRY_AFTER_SECONDS
                )
            case Trouble.KILLED_BEFORE | Trouble.KILLED_AFTER:
                self.on_kill()
                raise KilledError
            case _:
                raise SlackUnavailableError(f"Slack: {trouble}.")

    def _next_ts(self) -> str:
        self._count += 1
        return f"{self._clock().timestamp():.0f}.{self._count:06d}"


def deliver(
    registry: Registry,
    slack: SlackApi | None,
    correlation_id: str,
    clock: Clock,
    *,
    owner: str = "flow",
    audience: Audience | None = Audience(CHANNEL),  # noqa: B008 - immutable
    patience_seconds: float = 1000,
) -> DeliveryReport:
    """One delivery in which waiting for a turn only moves the clock."""
    deliverer = Deliverer(registry, slack, owner=owner, clock=clock, audience_of=lambda _: audience)
    return deliverer.deliver(correlation_id, Patience(patience_seconds, clock.advance))


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
