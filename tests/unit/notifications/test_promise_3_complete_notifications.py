"""Promise 3: each lifecycle step is announced, in order, at least once, whatever Slack and the deliverers do."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.models.notice import DeliveryState, NoticeKind
from interlock.notifications.card import Card
from interlock.notifications.headlines import moves_parent
from interlock.notifications.messages import render
from interlock.notifications.report import DeliveryReport
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import Store
from tests.unit.notifications.catalogue import deployment
from tests.unit.notifications.kit import Clock, KilledError, MemorySlack, MortalRegistry, Trouble, deliver, notice

ONE = deployment()
CID = ONE.correlation_id

MIDDLE = [kind for kind in NoticeKind if kind not in (NoticeKind.STARTED, NoticeKind.SUMMARY)]
lifecycles = st.lists(st.sampled_from(MIDDLE), max_size=8).map(lambda kinds: [NoticeKind.STARTED, *kinds])
steps = st.lists(st.sampled_from(["write", "deliver", "pause", "outage"]), max_size=25)
any_trouble = st.lists(st.sampled_from(list(Trouble)), max_size=15)
no_refusal = st.lists(
    st.sampled_from([trouble for trouble in Trouble if trouble not in (Trouble.REFUSED, Trouble.GONE)]), max_size=15
)


class World:
    """A deployment that writes its notices while deliverers come and go, and Slack has its troubles."""

    def __init__(self, kinds: list[NoticeKind], troubles: list[Trouble], store: Store | None = None) -> None:
        self.clock = Clock()
        self.registry = MortalRegistry(self.clock, ONE, store=store)
        self.slack = MemorySlack(self.clock, troubles)
        self.slack.on_kill = lambda: setattr(self.registry.store, "is_dead", True)
        self.slack.meanwhile = self._somebody_else_tries
        self._kinds = iter(enumerate(kinds))

    def live(self, script: list[str]) -> None:
        for step in script:
            match step:
                case "write":
                    self._write()
                case "deliver":
                    self.deliver()
                case "pause":
                    self.clock.advance(20)
                case _:
                    self.clock.advance(700)
        while self._write():
            pass
        while not self.deliver().is_complete:
            self.clock.advance(61)

    def _write(self) -> bool:
        number, kind = next(self._kinds, (0, None))
        if kind is None:
            return False
        self.registry.write(CID, notice(kind, number))
        return True

    def deliver(self, owner: str = "flow") -> DeliveryReport:
        with suppress(KilledError):
            return deliver(self.registry, self.slack, CID, self.clock, owner=owner)
        self.registry.store.is_dead = False
        return DeliveryReport(unavailable=("killed",))

    def _somebody_else_tries(self) -> None:
        assert self.deliver("sweep") == DeliveryReport(busy=1)

    @property
    def told(self) -> list[Card]:
        return [card for card in self.slack.told if not is_summary(card)]

    @property
    def repeated(self) -> list[Card]:
        """Replies that arrived though their sender did not learn of it."""
        return [card for card, trouble in self.slack.replies if trouble is not Trouble.NONE and not is_summary(card)]


def is_summary(card: Card) -> bool:
    return card.title.startswith("Slack is back")


def details(world: World, state: DeliveryState) -> list[Card]:
    rendered = [render(ONE, row.notice).detail for row in world.registry.outbox.rows(CID) if row.state is state]
    return [detail for detail in rendered if detail is not None]


@settings(max_examples=300, deadline=None)
@given(kinds=lifecycles, troubles=no_refusal, script=steps)
def test_promise_3_every_step_arrives_in_order_and_only_a_lost_answer_repeats_one(
    kinds: list[NoticeKind], troubles: list[Trouble], script: list[str]
) -> None:
    tell_the_whole_story(World(kinds, troubles), kinds, script)


@settings(max_examples=25, deadline=None)
@given(kinds=lifecycles, troubles=no_refusal, script=steps)
def test_promise_3_holds_over_sqlite(kinds: list[NoticeKind], troubles: list[Trouble], script: list[str]) -> None:
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "registry.db")
        store.prepare()
        tell_the_whole_story(World(kinds, troubles, store), kinds, script)


def tell_the_whole_story(world: World, kinds: list[NoticeKind], script: list[str]) -> None:
    world.live(script)
    expected = [render(ONE, notice(kind, number)).detail for number, kind in enumerate(kinds) if not kind.is_ephemeral]
    assert world.told == [detail for detail in expected if detail is not None]
    assert len(world.repeated) + len(world.slack.parents) - 1 <= len(
        [trouble for trouble in world.slack.met if trouble in (Trouble.ANSWER_LOST, Trouble.KILLED_AFTER)]
    )


@settings(max_examples=300, deadline=None)
@given(kinds=lifecycles, troubles=any_trouble, script=steps)
def test_promise_3_a_refusal_loses_no_other_step(
    kinds: list[NoticeKind], troubles: list[Trouble], script: list[str]
) -> None:
    world = World(kinds, troubles)
    world.live(script)
    rows = world.registry.outbox.rows(CID)
    assert world.told == details(world, DeliveryState.DELIVERED)
    assert all(row.notice.kind.is_ephemeral for row in rows if row.state is DeliveryState.SKIPPED)
    refusals = [trouble for trouble in world.slack.met if trouble in (Trouble.REFUSED, Trouble.GONE)]
    assert sum(row.state is DeliveryState.PARKED for row in rows) <= len(refusals)
    assert not [row for row in rows if row.state is DeliveryState.WAITING]


@settings(max_examples=200, deadline=None)
@given(kinds=lifecycles, troubles=no_refusal, script=steps)
def test_promise_3_the_parent_shows_the_last_step_that_concerns_it(
    kinds: list[NoticeKind], troubles: list[Trouble], script: list[str]
) -> None:
    world = World(kinds, troubles)
    world.live(script)
    thread = world.registry.outbox.thread(CID)
    assert thread is not None
    last = [row.notice for row in world.registry.outbox.rows(CID) if row.slack_ts and moves_parent(row.notice.kind)][-1]
    assert world.slack.parents[thread.parent_ts] == render(ONE, last).parent
