"""Wait for the turn: the queue's head takes the slot (Prefect's concurrency limit), then the hold (the registry's)."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, ExitStack
from contextvars import Context, copy_context
from datetime import timedelta
from functools import partial

from prefect.concurrency.context import ConcurrencyContext
from prefect.concurrency.sync import concurrency

from interlock.continued_rollback import free_after_crash
from interlock.correlation_id import is_recovery_id
from interlock.errors import CloudFormationUnavailableError
from interlock.hold_keeper import HoldKeeper
from interlock.locks import lock_on
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.lock import Lock
from interlock.models.notice import Notice, NoticeKind
from interlock.recovery import Recovery, Verdict
from interlock.several_stacks import stack_to_look_at
from interlock.timing import (
    LATE_ARRIVAL_SECONDS,
    SLOT_ATTEMPT_SECONDS,
    SLOT_LEASE_SECONDS,
    SLOT_PATIENCE_SECONDS,
    WAIT_POLL_SECONDS_LOCAL,
    WAIT_POLL_SECONDS_REMOTE,
    WAITING_NOTICE_SECONDS,
)
from interlock.turn import Turn
from interlock.wiring import Installation, installation
from tasks.adoption import adopt, end_run
from tasks.notify import notify
from tasks.prefect_side import UNREACHABLE, best_effort, client, current_flow_run, earlier_runs, ensure_limit, free_slot
from tasks.run_log import run_log
from tasks.secret_values import gateway_to_settle
from tasks.step import step


class Held(ExitStack):
    """What a deployment holds while it runs; make it in the flow, leave it when the end is on record.

    It remembers the flow's context. Prefect gives a slot back when the run ends in whose context it was acquired: one
    acquired in the context of the task that waits for it would be free again before the deployment begins.
    """

    def __init__(self) -> None:
        super().__init__()
        self.context = copy_context()


@step("wait for the turn and acquire the slot")
def acquire_slot(deployment: Deployment, held: Held) -> HoldKeeper:
    """Return when the environment is ours; what was taken is given back when `held` is left.

    The slot is given back always; the hold only if the record says that it is done with (it has ended, or waits for a
    person). A run that is torn down while
    its operation goes on leaves the hold to expire, so that nobody but an adopter of this deployment gets in.
    """
    here = installation()
    environment = here.environment(deployment.environment)
    slot = _Slot(environment, held.context, lambda lease_id: _note_lease(here, deployment, lease_id))
    turn = Turn(
        registry=here.registry,
        environment=environment,
        deployment=deployment,
        stack_is_quiet=lambda: _stack_is_quiet(here, environment),
        settle_holder=lambda holder: _settle(here, environment, holder),
        late_arrivals=lambda: _late_arrivals(here, deployment),
        take_slot=slot.take,
        is_degraded=lambda: here.is_degraded,
        tell=_Teller(here, deployment, lock_on(here.registry, environment, here.clock())).tell,
        clock=here.clock,
        sleep=time.sleep,
        poll_seconds=WAIT_POLL_SECONDS_LOCAL if here.polls_cheaply else WAIT_POLL_SECONDS_REMOTE,
    )
    keepers: list[HoldKeeper] = []
    # Left last, after the renewing has stopped and the slot is free: whoever sees the hold free gets the slot at once.
    held.callback(_release_if_done, here, deployment, keepers)
    hold = turn.take(held)
    keepers.append(held.enter_context(HoldKeeper(here.registry, hold)))
    run_log().info(
        "It is our turn: %s is held with fence %d.", environment.name, hold.fence, extra={"event": "TURN_TAKEN"}
    )
    return keepers[0]


class _Slot:
    """The attempts of one deployment at its environment's slot."""

    def __init__(self, environment: Environment, context: Context, note_lease: Callable[[str], None]) -> None:
        self._environment = environment
        self._context = context
        self._note_lease = note_lease
        self._trying_since = 0.0
        self._tried_at = 0.0

    def take(self, attempt: ExitStack, seconds: float) -> bool:
        """Whether to go on. Without a Prefect server the hold alone decides; a slot that leaked is mended."""
        self._note_attempt(time.monotonic())
        try:
            self._ensure_limit()
            slot = self._slot(seconds)
            self._context.run(slot.__enter__)
            attempt.callback(_give_back, slot)
            if lease_id := self._context.run(_newest_lease):
                self._note_lease(lease_id)
        except TimeoutError:
            self._mend_leak()
            return False
        except UNREACHABLE as error:
            run_log().warning("Without the slot %s: %s", self._environment.slot_name, error)
        return True

    def _slot(self, seconds: float) -> AbstractContextManager[None]:
        return concurrency(
            self._environment.slot_name,
            occupy=1,
            timeout_seconds=seconds,
            strict=True,
            lease_duration=SLOT_LEASE_SECONDS,
            # A failed renewal must not cancel a deployment in the middle of its operation: the hold protects us.
            raise_on_lease_renewal_failure=False,
        )

    def _ensure_limit(self) -> None:
        with client() as prefect:
            if done := ensure_limit(prefect, self._environment.slot_name):
                run_log().warning("%s.", done.capitalize())

    def _note_attempt(self, now: float) -> None:
        """Only attempts in a row count: between others somebody may have had the environment, and the slot rightly so."""
        if now - self._tried_at > 3 * SLOT_ATTEMPT_SECONDS:
            self._trying_since = now
        self._tried_at = now

    def _mend_leak(self) -> None:
        """Nobody holds the environment, and the slot has not come free in the time that a dead holder's lease runs.

        With the registry away nobody can say who holds it: then the slot is what protects, and it is left alone.
        """
        self._tried_at = time.monotonic()
        if self._tried_at - self._trying_since < SLOT_PATIENCE_SECONDS or installation().is_degraded:
            return
        with best_effort("the mending of the slot"), client() as prefect:
            free_slot(prefect, self._environment.slot_name)
        run_log().warning("The slot %s was taken by nobody: it is free again.", self._environment.slot_name)


class _Teller:
    """Tells how the wait goes: in the log when anything changes, in the channel once a minute and when a lock is put on."""

    def __init__(self, here: Installation, deployment: Deployment, lock: Lock | None) -> None:
        """`lock`: the one that the channel has been told of."""
        self._here = here
        self._deployment = deployment
        self._said: str | None = None
        self._lock = lock
        self._next_notice = timedelta(seconds=WAITING_NOTICE_SECONDS)

    def tell(self, position: int, waited: timedelta, lock: Lock | None) -> None:
        words = _in_words(position, lock)
        if words != self._said:
            self._said = words
            run_log().info("Waiting: %s.", words, extra={"event": "WAITING"})
        is_news = lock is not None and lock != self._lock
        self._lock = lock
        if waited >= self._next_notice or is_news:
            self._next_notice = waited + timedelta(seconds=WAITING_NOTICE_SECONDS)
            self._tell_channel(position, waited, lock)

    def _tell_channel(self, position: int, waited: timedelta, lock: Lock | None) -> None:
        facts = {"position": position + 1, "waited_minutes": round(waited.total_seconds() / 60, 1)}
        notice = Notice(kind=NoticeKind.WAITING, facts=facts | (lock.facts if lock else {}))
        self._here.registry.deployments.record(self._deployment.correlation_id, notices=[notice])
        notify(self._deployment)


def _in_words(position: int, lock: Lock | None) -> str:
    if lock:
        return f"{position} ahead in the queue, and the environment is {lock.in_words}"
    return "first in the queue, the environment is still busy" if position == 0 else f"{position} ahead in the queue"


def _stack_is_quiet(here: Installation, environment: Environment) -> bool:
    """A failed read says nothing, so it is not a yes (promise 10)."""
    try:
        # It is looked at anew once the environment is held; here a look a moment ago (the active check's) will do.
        look = partial(here.cloudformation(environment).stack, certain=False, max_age_seconds=3)
        stack = stack_to_look_at(look, environment)
    except CloudFormationUnavailableError as error:
        run_log().warning("The stack's status could not be read: %s", error)
        return False
    return stack is None or not stack.state.is_in_progress


def _settle(here: Installation, environment: Environment, holder: str) -> None:
    """The holder's process let the hold expire: it is gone, or stopped for so long that it may not go on."""
    if is_recovery_id(holder):
        _settle_recovery(here, environment)
        return
    deployment = here.registry.deployments.get(holder, with_events=False)
    recovery = Recovery(here.registry, here.environment_of(deployment), gateway_to_settle(deployment), here.clock)
    settled = recovery.settle(holder, why="The deployment's process died.")
    if settled.outcome:
        end_run(here.registry.deployments.get(holder), settled.outcome)
    done = str(settled.verdict)
    if settled.verdict.must_be_seen_through or settled.verdict is Verdict.UNKNOWN:
        # Settling has prolonged the hold, so to the sweep the dead holder looks alive: nobody else would ask for this.
        deployment = here.registry.deployments.get(holder, with_events=False)
        done = adopt(deployment, cancelled=deployment.cancel_requested).words
    run_log().warning("The holder %s shows no sign of life: %s.", holder, done)


def _settle_recovery(here: Installation, environment: Environment) -> None:
    hold = here.registry.holds.current(environment.name)
    if hold and hold.is_of_recovery and not hold.is_live(here.clock()):
        gateway = here.cloudformation(environment)
        done = free_after_crash(here.registry, environment, gateway, hold, here.clock)
        run_log().warning("The recovery %s shows no sign of life: %s.", hold.owner, done)


def _late_arrivals(here: Installation, deployment: Deployment) -> Sequence[str]:
    """Runs asked for earlier that are still on their way to the queue. No answer is not a no (promise 10)."""
    try:
        earlier = earlier_runs(deployment.environment, than=deployment.asked_at)
    except UNREACHABLE as error:
        run_log().warning("Prefect's server does not say who asked earlier: %s", error)
        return ["unknown"]
    mine = str(current_flow_run().id)
    if not (others := [run for run in earlier if run != mine]):
        return []
    arrived = {ticket.correlation_id for ticket in here.registry.queue.waiting(deployment.environment)}
    return [run for run in others if _is_on_its_way(here, run, arrived)]


def _is_on_its_way(here: Installation, flow_run_id: str, arrived: Collection[str]) -> bool:
    """Not on record yet, or so lately that its ticket may be a moment behind. One that has a ticket has arrived."""
    known = here.registry.deployments.of_flow_run(flow_run_id)
    if known is None:
        return True
    is_new = (here.clock() - known.started_at).total_seconds() < LATE_ARRIVAL_SECONDS
    if known.status is not DeploymentStatus.QUEUED or known.awaits_approval or not is_new:
        return False
    return known.correlation_id not in arrived


def _newest_lease() -> str | None:
    """Prefect notes the leases of a run in the run's context, to end them if the run is cancelled."""
    context = ConcurrencyContext.get()
    return str(context.cleanup_lease_ids[-1]) if context and context.cleanup_lease_ids else None


def _note_lease(here: Installation, deployment: Deployment, lease_id: str) -> None:
    here.registry.deployments.record(deployment.correlation_id, changes={"slot_lease_id": lease_id})


def _give_back(slot: AbstractContextManager[None]) -> None:
    """Without a server to give it back to, its lease runs out by itself."""
    with best_effort("the slot, given back"):
        slot.__exit__(None, None, None)


def _release_if_done(here: Installation, deployment: Deployment, keepers: list[HoldKeeper]) -> None:
    """`keepers` is empty when the wait was given up."""
    record = here.registry.deployments.get(deployment.correlation_id, with_events=False)
    if keepers and (record.status.is_final or record.awaits_approval):
        here.registry.holds.release(keepers[0].hold)
