"""The promises under any interleaving: several processes of several deployments, each of which may stall at any point."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from interlock.errors import (
    AlreadyFinishedError,
    CorrelationIdTakenError,
    DeploymentNotFoundError,
    HoldLostError,
    LockedBySomebodyElseError,
    NotYourTurnError,
    TicketLostError,
)
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.lock import Lock
from interlock.models.queue import Hold, Ticket
from interlock.registry import Registry
from interlock.registry.sqlite import SqliteStore
from interlock.registry.store import Store
from tests.unit.registry.kit import ENVIRONMENT, HOLD_SECONDS, TICKET_SECONDS, FrozenClock, cid, deployment, notice

NUMBERS = st.integers(1, 6)
EMERGENCIES = {5, 6}
"""They override locks."""
PEOPLE = st.sampled_from(["ada", "bob"])
FINAL = st.sampled_from([status for status in DeploymentStatus if status.is_final])
SECONDS = st.sampled_from([0, 1, TICKET_SECONDS - 1, TICKET_SECONDS, HOLD_SECONDS, HOLD_SECONDS + 1])


class Interleavings(RuleBasedStateMachine):
    """Remembers every hold and ticket ever handed out, as processes do that do not know they are late."""

    def __init__(self, new_store: Callable[[FrozenClock], Store]) -> None:
        super().__init__()
        self.clock = FrozenClock()
        self.registry = Registry(new_store(self.clock), clock=self.clock)
        self.registered: set[int] = set()
        self.finished: dict[int, Deployment] = {}
        self.tickets: list[Ticket] = []
        self.holds: list[Hold] = []
        self.locks: list[Lock] = []
        self.lock_on: Lock | None = None  # what must be on: the last one, until it is taken off or runs out
        self.last: Hold | None = None  # what must be in force: the last grant, until it is released

    @initialize()
    def start(self) -> None:
        for number in (1, 2):
            self.register(number)
            self.enqueue(number)

    @rule(number=NUMBERS)
    def register(self, number: int) -> None:
        try:
            self.registry.deployments.register(requested(number), notices=[notice()])
        except CorrelationIdTakenError:
            assert number in self.registered
        else:
            assert number not in self.registered
            self.registered.add(number)

    @rule(number=NUMBERS)
    def enqueue(self, number: int) -> None:
        asked_at = deployment(number).asked_at
        try:
            ticket = self.registry.queue.enqueue(
                ENVIRONMENT,
                cid(number),
                asked_at,
                lifetime_seconds=TICKET_SECONDS,
                passes_locks=number in EMERGENCIES,
            )
        except AlreadyFinishedError:
            assert number in self.finished
        else:
            assert number not in self.finished
            self.tickets.append(ticket)

    @rule(data=st.data())
    def heartbeat(self, data: st.DataObject) -> None:
        if not self.tickets:
            return
        ticket = data.draw(st.sampled_from(self.tickets))
        alive = ticket.correlation_id in self.alive()
        try:
            self.registry.queue.heartbeat(ticket, lifetime_seconds=TICKET_SECONDS)
        except TicketLostError:
            assert not alive
        else:
            assert alive

    @rule(number=NUMBERS)
    def leave(self, number: int) -> None:
        self.registry.queue.leave(ENVIRONMENT, cid(number))
        assert cid(number) not in self.alive()

    @rule()
    def remove_dead(self) -> None:
        before = self.alive()
        self.registry.queue.remove_dead(ENVIRONMENT)
        assert self.alive() == before

    @rule(number=NUMBERS, quiet=st.booleans())
    def the_next_one_claims(self, number: int, quiet: bool) -> None:
        """The dangerous moment, which chance alone meets too seldom: somebody who has the turn while the hold is held."""
        self.register(number)
        self.enqueue(number)
        if queue := self.alive():
            self.claim(int(queue[0][-8:], 16), quiet)

    @rule(number=NUMBERS, quiet=st.booleans())
    def claim(self, number: int, quiet: bool) -> None:
        before, queue = self.registry.holds.current(ENVIRONMENT), self.alive()
        if self.is_locked() and number in EMERGENCIES:
            queue = [one for one in queue if int(one[-8:], 16) in EMERGENCIES]
        kept_out = self.is_locked() and number not in EMERGENCIES
        adoption = before is not None and before.owner == cid(number)
        try:
            hold = self.registry.holds.claim(
                ENVIRONMENT, cid(number), lifetime_seconds=HOLD_SECONDS, stack_is_quiet=quiet
            )
        except (NotYourTurnError, TicketLostError):
            assert not adoption
            assert self.is_taken(before, quiet=quiet) or queue[:1] != [cid(number)] or kept_out
        except (DeploymentNotFoundError, AlreadyFinishedError):
            assert number in self.finished or number not in self.registered
        else:
            assert adoption or (not self.is_taken(before, quiet=quiet) and queue[0] == cid(number) and not kept_out)
            assert hold.fence == max((one.fence for one in self.holds), default=0) + 1
            self.holds.append(hold)
            self.last = hold

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        if not self.holds:
            return
        hold = data.draw(st.sampled_from(self.holds))
        try:
            renewed = self.registry.holds.renew(hold, lifetime_seconds=HOLD_SECONDS)
        except HoldLostError:
            assert not self.is_in_force(hold)
        else:
            assert self.is_in_force(hold)
            self.last = renewed

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if not self.holds:
            return
        hold = data.draw(st.sampled_from(self.holds))
        in_force = self.is_in_force(hold)
        assert self.registry.holds.release(hold) == in_force
        self.last = None if in_force else self.last

    @rule(number=NUMBERS, status=FINAL, seldom=st.integers(0, 3))
    def finish(self, number: int, status: DeploymentStatus, seldom: int) -> None:
        if number not in self.registered or seldom:
            return
        first = self.registry.deployments.finish(cid(number), status, reason="", notices=[notice()])
        assert first == (number not in self.finished)
        if first:
            self.finished[number] = self.registry.deployments.get(cid(number))
            assert self.finished[number].status is status

    @rule(by=PEOPLE, seconds=st.sampled_from([None, TICKET_SECONDS]))
    def lock(self, by: str, seconds: int | None) -> None:
        until = self.clock() + timedelta(seconds=seconds) if seconds else None
        somebody_elses = self.is_locked() and self.lock_on is not None and self.lock_on.by != by
        try:
            lock = self.registry.locks.lock(ENVIRONMENT, by=by, reason="audit", until=until)
        except LockedBySomebodyElseError:
            assert somebody_elses
        else:
            assert not somebody_elses
            assert lock.number == max((one.number for one in self.locks), default=0) + (not self.is_locked())
            self.locks.append(lock)
            self.lock_on = lock

    @rule(data=st.data(), by=PEOPLE)
    def unlock(self, data: st.DataObject, by: str) -> None:
        """Twice, late, or by somebody else."""
        if not self.locks:
            return
        lock = data.draw(st.sampled_from(self.locks))
        is_on = self.is_locked() and self.lock_on is not None and self.lock_on.number == lock.number
        assert self.registry.locks.unlock(lock, by=by) == is_on
        self.lock_on = None if is_on else self.lock_on

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @invariant()
    def promise_1_only_the_last_grant_is_in_force(self) -> None:
        assert self.registry.holds.current(ENVIRONMENT) == self.last
        fences = [hold.fence for hold in self.holds]
        assert fences == sorted(set(fences))

    @invariant()
    def promise_8_the_lock_that_is_on_is_the_last_one_put_on(self) -> None:
        assert self.registry.locks.current(ENVIRONMENT) == (self.lock_on if self.is_locked() else None)

    @invariant()
    def promise_8_what_is_final_stays_as_it_was(self) -> None:
        for number, finished in self.finished.items():
            assert self.registry.deployments.get(cid(number)) == finished

    @invariant()
    def the_queue_is_in_order_and_without_the_finished(self) -> None:
        alive = self.alive()
        assert alive == sorted(alive)  # the numbers were asked for in their order
        assert not {cid(number) for number in self.finished} & set(alive)

    @invariant()
    def active_is_what_is_registered_and_not_final(self) -> None:
        active = {one.correlation_id for one in self.registry.deployments.active()}
        assert active == {cid(number) for number in self.registered - self.finished.keys()}

    def alive(self) -> list[str]:
        return [ticket.correlation_id for ticket in self.registry.queue.waiting(ENVIRONMENT)]

    def is_taken(self, hold: Hold | None, *, quiet: bool) -> bool:
        return hold is not None and (hold.is_live(self.clock()) or not quiet)

    def is_locked(self) -> bool:
        return self.lock_on is not None and self.lock_on.is_on(self.clock())

    def is_in_force(self, hold: Hold) -> bool:
        return self.last is not None and self.last.fence == hold.fence


def requested(number: int) -> Deployment:
    override = "an emergency" if number in EMERGENCIES else None
    return deployment(number).model_copy(update={"lock_override": override})


def run(new_store: Callable[[FrozenClock], Store], *, examples: int) -> None:
    run_state_machine_as_test(
        lambda: Interleavings(new_store),  # type: ignore[arg-type]  # a factory will do, says its documentation
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.mark.slow
def test_promise_1_exclusivity_and_promise_8_idempotence_on_sqlite(tmp_path: Path) -> None:
    def new_store(clock: FrozenClock) -> Store:
        store = SqliteStore(Path(tempfile.mkdtemp(dir=tmp_path)) / "registry.db", clock=clock)
        store.prepare()
        return store

    run(new_store, examples=60)


@pytest.mark.slow
def test_promise_1_exclusivity_and_promise_8_idempotence_on_dynamodb(new_moto_store: Callable[[], Store]) -> None:
    run(lambda _: new_moto_store(), examples=8)
