"""Two deliverers on one outbox: whatever one does between any two looks of the other, each message is sent once."""

from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.models.notice import DeliveryState, NoticeKind
from interlock.notifications.messages import render
from interlock.notifications.report import DeliveryReport
from interlock.registry.leases import Leases
from tests.unit.notifications.catalogue import deployment
from tests.unit.notifications.kit import Clock, MemorySlack, MortalRegistry, deliver, notice

ONE = deployment()
CID = ONE.correlation_id
TOLD = [NoticeKind.DEPLOYING, NoticeKind.CHANGES, NoticeKind.STALLED, NoticeKind.MOVING_AGAIN, NoticeKind.SUCCEEDED]

looks = st.sets(st.integers(1, 60), max_size=6)
stories = st.lists(st.sampled_from(TOLD), max_size=4).map(lambda kinds: [NoticeKind.STARTED, *kinds])


class TwoDeliverers:
    """`interrupt_at`: the looks of the first at the registry that the second comes right before, for a whole delivery."""

    def __init__(self, kinds: list[NoticeKind], interrupt_at: set[int], seconds: float) -> None:
        self.clock = Clock()
        self.registry = MortalRegistry(self.clock, ONE)
        self.slack = MemorySlack(self.clock)
        self.registry.write(CID, *(notice(kind, number) for number, kind in enumerate(kinds)))
        self._interrupt_at, self._seconds, self._looks, self._is_inside = interrupt_at, seconds, 0, False
        self.registry.store.meanwhile = self._meanwhile

    def _meanwhile(self) -> None:
        if self._is_inside:
            return
        self._looks += 1
        if self._looks in self._interrupt_at:
            self._is_inside = True
            self.clock.advance(self._seconds)
            self.deliver("second")
            self._is_inside = False

    def deliver(self, owner: str) -> DeliveryReport:
        return deliver(self.registry, self.slack, CID, self.clock, owner=owner)

    def deliver_to_the_end(self) -> None:
        while not self.deliver("first").is_complete:
            self.clock.advance(11)


@settings(max_examples=100, deadline=None)
@given(kinds=stories, interrupt_at=looks)
def test_promise_3_two_deliverers_send_each_message_once_and_in_order(
    kinds: list[NoticeKind], interrupt_at: set[int]
) -> None:
    world = TwoDeliverers(kinds, interrupt_at, seconds=0)
    world.deliver_to_the_end()
    expected = [render(ONE, notice(kind, number)).detail for number, kind in enumerate(kinds)]
    assert world.slack.told == [card for card in expected if card]
    assert len(world.slack.parents) == 1


@settings(max_examples=100, deadline=None)
@given(kinds=stories, interrupt_at=looks)
def test_promise_3_a_deliverer_that_stood_still_repeats_no_more_than_what_it_was_about_to_send(
    kinds: list[NoticeKind], interrupt_at: set[int]
) -> None:
    """It may stand still between its last look and its call (a stopped process): no claim can prevent that one."""
    world = TwoDeliverers(kinds, interrupt_at, seconds=40)
    world.deliver_to_the_end()
    expected = [render(ONE, notice(kind, number)).detail for number, kind in enumerate(kinds)]
    told = [card for card in expected if card]
    repeated = len(world.slack.told) - len(told) + len(world.slack.parents) - 1
    assert [card for card in told if card not in world.slack.told] == []
    assert 0 <= repeated <= len(interrupt_at)


def test_a_claim_that_ran_out_is_lost_even_when_it_is_free_again() -> None:
    world = TwoDeliverers([NoticeKind.STARTED, NoticeKind.DEPLOYING, NoticeKind.SUCCEEDED], set(), 0)

    def stand_still_while_another_sends_everything() -> None:
        world.slack.meanwhile = lambda: None
        world.slack._is_busy = False
        world.clock.advance(61)
        assert world.deliver("second").is_complete

    world.slack.meanwhile = stand_still_while_another_sends_everything
    assert world.deliver("first").busy == 1
    assert [card.title for card in world.slack.told].count("Deployment Complete") == 1
    assert {row.state for row in world.registry.outbox.rows(CID)} == {DeliveryState.DELIVERED}


def test_a_claim_is_given_back() -> None:
    world = TwoDeliverers([NoticeKind.STARTED], set(), 0)
    world.deliver("first")
    leases: Leases = world.registry.leases
    assert leases.remaining_seconds(f"notify:{CID}") == 0
