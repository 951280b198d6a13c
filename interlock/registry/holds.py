"""The holds: who may touch an environment's stack. Promise 1 is decided here: a grant is one conditional write."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from interlock.clock import Clock
from interlock.correlation_id import is_recovery_id
from interlock.errors import AlreadyFinishedError, HoldLostError
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.lock import Lock, last_to_end
from interlock.models.notice import Notice
from interlock.models.queue import Hold
from interlock.registry.keys import hold_key, record_key
from interlock.registry.locks import read_lock
from interlock.registry.overriding import Overriding, overriding
from interlock.registry.queue import ticket_of, tickets_in
from interlock.registry.record import Step, StoredRecord, next_writes, read_record, record_of
from interlock.registry.store import Delete, Item, Put, Store, Write, optimistically, version_of
from interlock.registry.turn import insist_on_free, insist_on_left_behind, insist_on_turn, insist_on_unlocked
from interlock.registry.values import attributes_of, value_of


class Holds:
    def __init__(self, store: Store, clock: Clock, retention: timedelta) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention

    def current(self, environment: str) -> Hold | None:
        """The hold that somebody has, live or expired; None when it is free."""
        hold = self._read(environment)[0]
        return hold if hold and hold.owner else None

    def claim(
        self,
        environment: str,
        correlation_id: str,
        *,
        lifetime_seconds: float,
        stack_is_quiet: bool,
        window: Lock | None = None,
        events: Sequence[DeploymentEvent] = (),
        notices: Sequence[Notice] = (),
    ) -> Hold:
        """Take the hold of an environment. `stack_is_quiet`: the stack was looked at just now, and no operation runs.
        `window`: the freeze window that is open now.

        The deployment must exist and not be final. Then, by what the hold is:

        - owned by this deployment, live or expired: an *adoption*. Granted with a new fence, which shuts the older
          process out; no ticket is needed.
        - free: granted if the deployment's own ticket is alive and no living ticket is ahead of it.
        - somebody else's and live (now < expires_at): not granted.
        - somebody else's and expired (now >= expires_at): as if free, but only with `stack_is_quiet`; otherwise the
          operation that still runs must be adopted first.

        Unless it is an adoption, or its operation was asked for already, a lock (on record, or `window`) keeps it out: up
        to the write, so that who locks after a grant finds the deployment running, and who locked before it does not. One
        that overrides locks is granted the hold in spite of it, ahead of those whom the lock holds in the queue; event,
        notice and audit of that are part of the grant.

        A grant makes the fence one greater, takes the ticket away, and makes the record IN_PROGRESS with `fence` and
        `deploying_since` (kept if it was set), with the events and notices: all in one transaction.

        Raises:
            NotYourTurnError: somebody has the hold, or is ahead in the queue, or a lock is on. Ask again later.
            TicketLostError: the deployment's own ticket is dead or gone. Enqueue again.
            DeploymentNotFoundError, AlreadyFinishedError: there is nothing to deploy.
        """

        def attempt() -> Hold:
            now = self._clock()  # before reading: too early is the safe side of an expiry
            record = self._claimant(environment, correlation_id)
            # Before the hold: a grant to this very deployment in between takes its ticket away, and must be seen as the hold.
            tickets = tickets_in(self._store, environment)
            before, item = self._read(environment)
            past_lock = Overriding()
            if before is None or before.owner != correlation_id:
                stored = read_lock(self._store, environment)
                lock = last_to_end(stored.on(now), window)
                insist_on_free(before, record.deployment, now, stack_is_quiet=stack_is_quiet)
                insist_on_unlocked(lock, record.deployment)
                insist_on_turn(tickets, record.deployment, now, lock)
                past_lock = overriding(lock, stored, record.deployment, now, self._retention)
            granted = _grant(before, environment, correlation_id, now, lifetime_seconds)
            step = self._grant_step(
                granted, record.deployment, [*past_lock.events, *events], [*past_lock.notices, *notices]
            )
            own = [Delete(key=one.key, expect=one.version) for one in tickets.values() if _is_of(correlation_id, one)]
            self._store.transact([_put(granted, item), *own, *next_writes(record, step)[1], *past_lock.writes])
            return granted

        return optimistically(attempt)

    def claim_for_recovery(self, environment: str, recovery_id: str, *, lifetime_seconds: float) -> Hold:
        """Take the hold to continue the stack's failed rollback; the stack was looked at just now, and no operation runs.

        A recovery has neither record nor ticket, and goes ahead of the queue and past locks: no deployment can begin from
        such a stack. Granted if the hold is free, or expired and left by a recovery or by a deployment that has ended.

        Raises:
            NotYourTurnError: somebody has it, or its deployment must be settled first.
        """

        def attempt() -> Hold:
            now = self._clock()  # before reading: too early is the safe side of an expiry
            before, item = self._read(environment)
            insist_on_left_behind(before, environment, now, is_settled=self._is_settled)
            granted = _grant(before, environment, recovery_id, now, lifetime_seconds)
            self._store.transact([_put(granted, item)])
            return granted

        return optimistically(attempt)

    def renew(self, hold: Hold, *, lifetime_seconds: float) -> Hold:
        """Keep the hold for so long from now; after its expiry too, as long as nobody took it over.

        Raises:
            HoldLostError: it was released, or granted anew.
        """

        def attempt() -> Hold:
            stored, item = self._read(hold.environment)
            ours = _ours(hold, stored)
            renewed = ours.model_copy(update={"expires_at": self._clock() + timedelta(seconds=lifetime_seconds)})
            self._store.transact([_put(renewed, item)])
            return renewed

        return optimistically(attempt)

    def release(self, hold: Hold) -> bool:
        """Free the hold; the fence stays. False, with nothing changed, unless this is the last grant (promise 8)."""

        def attempt() -> bool:
            stored, item = self._read(hold.environment)
            if stored is None or not _is_same_grant(hold, stored):
                return False
            self._store.transact([_put(stored.model_copy(update={"owner": None, "expires_at": self._clock()}), item)])
            return True

        return optimistically(attempt)

    def check(self, hold: Hold) -> None:
        """Before every call that changes the stack. An expired hold passes as long as nobody took it over.

        Raises:
            HoldLostError: touch the stack no more.
        """
        _ours(hold, self._read(hold.environment)[0])

    def _read(self, environment: str) -> tuple[Hold | None, Item | None]:
        item = self._store.get(hold_key(environment))
        return (value_of(Hold, item.attributes), item) if item else (None, None)

    def _is_settled(self, owner: str) -> bool:
        """Nothing of the owner's is left to be seen through."""
        record = self._store.get(record_key(owner))
        return is_recovery_id(owner) or (record is not None and record_of(record).is_final)

    def _claimant(self, environment: str, correlation_id: str) -> StoredRecord:
        record = read_record(self._store, correlation_id)
        if record.deployment.environment != environment:
            raise ValueError(
                f"{correlation_id} is a deployment of {record.deployment.environment}, not of {environment}."
            )
        if record.is_final:
            raise AlreadyFinishedError(
                f"The deployment is {record.deployment.status}: it cannot claim the hold.",
                environment=environment,
                correlation_id=correlation_id,
            )
        return record

    def _grant_step(
        self, granted: Hold, deployment: Deployment, events: Sequence[DeploymentEvent], notices: Sequence[Notice]
    ) -> Step:
        changes = {
            "status": DeploymentStatus.IN_PROGRESS,
            "deploying_since": deployment.deploying_since or granted.granted_at,
            "fence": granted.fence,
        }
        return Step(now=granted.granted_at, retention=self._retention, events=events, notices=notices, changes=changes)


def _grant(before: Hold | None, environment: str, owner: str, now: datetime, lifetime_seconds: float) -> Hold:
    return Hold(
        environment=environment,
        owner=owner,
        fence=(before.fence if before else 0) + 1,
        granted_at=now,
        expires_at=now + timedelta(seconds=lifetime_seconds),
    )


def _is_of(correlation_id: str, ticket: Item) -> bool:
    return ticket_of(ticket).correlation_id == correlation_id


def _is_same_grant(hold: Hold, stored: Hold) -> bool:
    return (stored.owner, stored.fence) == (hold.owner, hold.fence)


def _ours(hold: Hold, stored: Hold | None) -> Hold:
    if stored is None or not _is_same_grant(hold, stored):
        now_with = f"{stored.owner or 'nobody'} with fence {stored.fence}" if stored else "nobody"
        raise HoldLostError(
            f"The hold with fence {hold.fence} is lost: {now_with} has it now.",
            environment=hold.environment,
            correlation_id=hold.owner,
            next_step="Touch the stack no more; the deployment is carried on by whoever has the hold.",
        )
    return stored


def _put(hold: Hold, before: Item | None) -> Write:
    return Put(key=hold_key(hold.environment), attributes=attributes_of(hold), expect=version_of(before))
