"""Promise 5: the monitor starts with the operation and ends with it, without orphans; a crash is announced with its true
gap, and the deployment's outcome is the stack's, whatever happens to the monitor.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.models.stack import StackEvent
from interlock.monitoring.lifecycle import keep_alive
from interlock.monitoring.watcher import Bookmark, Observation, StackWatcher
from tests.unit.monitoring.replay import STACK_ID, START, TOKEN, Clock, Replay, changes_of, line, sequential

FAILING = [
    *sequential(3, 4)[:-1],
    line(8, "Bad", "CREATE_FAILED", "AccessDenied"),
    line(8.5, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Bad]."),
    line(20, "R0", "DELETE_COMPLETE"),
    line(21, "app", "ROLLBACK_COMPLETE"),
]
OPERATIONS = [sequential(2), sequential(5, 30, 2), sequential(200, 1), FAILING]


class CrashError(Exception):
    """Planted."""


class Reader(Replay):
    """Fails at the reads of these numbers."""

    def __init__(self, events: Sequence[StackEvent], clock: Clock, failing_reads: frozenset[int]) -> None:
        super().__init__(events, clock)
        self.failing_reads = failing_reads

    def _read(self, stack_id: str) -> list[StackEvent]:
        self.failing = int(self.reads in self.failing_reads)
        return super()._read(stack_id)


class Deployment(threading.Event):
    """The deploy task and the stop event that it sets when it sees the operation's end: it looks while others wait."""

    def __init__(self, watcher: StackWatcher, clock: Clock) -> None:
        super().__init__()
        self.watcher, self.clock = watcher, clock
        self.outcome: str | None = None

    def wait(self, timeout: float | None = None) -> bool:
        left = timeout or 0.0
        while left > 0 and not self.is_set():
            step = min(left, 0.25)
            self.clock.sleep(step)
            left -= step
            self.look()
        return self.is_set()

    def look(self) -> None:
        observation = self.watcher.observe()
        if observation.is_ended:
            self.outcome = observation.outcome
            self.set()


class Monitor:
    """The monitor as flows/monitor.py runs it, crashing before or after it has reported; and what people heard of it."""

    def __init__(self, deployment: Deployment, crashes: Sequence[str | None], *, mute: bool) -> None:
        self.deployment, self.crashes, self.mute = deployment, list(crashes), mute
        self.bookmark = Bookmark(deployment.clock())
        self.running = 0
        self.told: list[StackEvent] = []
        self.gaps: list[datetime] = []
        self.looks: list[datetime] = [deployment.clock()]
        self.troubles: list[str] = []

    def run(self) -> None:
        assert self.running == 0, "two monitors of one operation"
        self.running += 1
        try:
            for observation in self.deployment.watcher.follow(self.deployment.wait, self.bookmark):
                self.report(observation)
                if self.deployment.is_set():
                    return
        finally:
            self.running -= 1

    def report(self, observation: Observation) -> None:
        crash = self.crashes.pop(0) if self.crashes else None
        if crash == "before":
            raise CrashError
        self.told.extend(observation.new_events)
        if crash == "after":
            raise CrashError
        self.looks.append(observation.observed_at)

    @property
    def unwatched_seconds(self) -> float:
        return (self.deployment.clock() - self.bookmark.looked_at).total_seconds()

    def announce_gap(self, seconds: float) -> None:
        now = self.deployment.clock()
        assert seconds == pytest.approx((now - self.looks[-1]).total_seconds())
        self.gaps.append(now)
        if self.mute:
            raise CrashError

    def report_trouble(self, what: str, error: Exception) -> None:
        assert isinstance(error, CrashError)
        self.troubles.append(what)


def deploy(
    events: Sequence[StackEvent],
    crashes: Sequence[str | None] = (),
    *,
    failing: frozenset[int] = frozenset(),
    mute: bool = False,
) -> tuple[Deployment, Monitor]:
    clock = Clock()
    watcher = StackWatcher(
        Reader(events, clock, failing),
        stack_id=STACK_ID,
        token=TOKEN,
        started_after=START,
        changes=changes_of(events),
        clock=clock,
    )
    deployment = Deployment(watcher, clock)
    monitor = Monitor(deployment, crashes, mute=mute)
    keep_alive(monitor.run, monitor, deployment)
    while not deployment.is_set():  # the deploy task goes on, should the monitor have left it alone
        deployment.wait(60)
    return deployment, monitor


@settings(deadline=None)
@given(
    events=st.sampled_from(OPERATIONS),
    crashes=st.lists(st.sampled_from([None, "before", "after"]), max_size=12),
    failing=st.frozensets(st.integers(0, 30), max_size=8),
    mute=st.booleans(),
)
def test_whatever_happens_to_the_monitor_the_outcome_is_the_stacks_and_no_monitor_is_left(
    events: list[StackEvent], crashes: list[str | None], failing: frozenset[int], mute: bool
) -> None:
    deployment, monitor = deploy(events, crashes, failing=failing, mute=mute)
    assert deployment.outcome == events[-1].status
    assert monitor.running == 0
    restarts = monitor.troubles.count("The monitor crashed")
    # Each is announced, but for one in its last life, which nobody follows (`announce_gap` checks the seconds).
    assert len(monitor.gaps) in (restarts, restarts - 1)


@settings(deadline=None)
@given(events=st.sampled_from(OPERATIONS), crashes=st.lists(st.sampled_from([None, "before"]), max_size=6))
def test_a_monitor_that_crashed_before_it_told_something_tells_it_in_its_next_life_once(
    events: list[StackEvent], crashes: list[str | None]
) -> None:
    _, monitor = deploy(events, [*crashes, None])
    told = [event.event_id for event in monitor.told]
    assert len(told) == len(set(told))
    assert told == [event.event_id for event in events][: len(told)]
    if len(monitor.gaps) == monitor.troubles.count("The monitor crashed"):  # its last life was no short one
        assert len(told) == len(events)


def test_a_crash_is_followed_by_a_restart_after_two_seconds_and_by_rarer_ones_later() -> None:
    _, monitor = deploy(sequential(200, 1), ["before"] * 5)
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(monitor.gaps)]
    assert len(monitor.gaps) == 5
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 32


def test_a_monitor_that_crashes_at_the_very_end_gets_a_last_life() -> None:
    for crash_at in range(20):
        deployment, monitor = deploy(sequential(2, 2), [*[None] * crash_at, "before"])
        assert deployment.outcome == "CREATE_COMPLETE"
        assert [event.event_id for event in monitor.told] == [event.event_id for event in sequential(2, 2)]


def test_a_monitor_that_always_crashes_is_given_up_when_the_operation_has_ended() -> None:
    deployment, monitor = deploy(sequential(30), ["before"] * 1000)
    assert deployment.outcome == "CREATE_COMPLETE"
    assert monitor.running == 0


def test_a_deployment_that_is_torn_down_takes_its_monitor_with_it() -> None:
    """Cancellations are BaseExceptions: they are the deployment's, and pass."""
    deployment, monitor = deploy(sequential(2))

    def cancelled() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep_alive(cancelled, monitor, deployment)
