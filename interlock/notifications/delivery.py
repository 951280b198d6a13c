"""The outbox on its way to Slack (promise 3): at least once, in order per deployment, never in anybody's way.

A lease on the deployment keeps two deliverers apart. What was sent is stored before anything else is sent, so only an
answer that was lost on its way back can make a duplicate, and each can make one. Nothing here sleeps: when Slack asks
us to wait, the lease is left to expire when the wait is over.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from interlock.clock import Clock
from interlock.errors import DeploymentNotFoundError, SlackRefusedError, SlackUnavailableError
from interlock.models.notice import DeliveryState, OutboxRow
from interlock.notifications.ports import Outbox, Registry, SlackApi
from interlock.notifications.report import DeliveryReport
from interlock.notifications.sender import Sender

ChannelOf = Callable[[str], str | None]

_CLAIM_SECONDS = 30
"""Longer than the slowest row: four calls of five seconds each. Renewed before every row; a dead deliverer's runs out."""
_LONGEST_PAUSE_SECONDS = 600
_FAILURES_IN_A_ROW = 3
"""After so many deployments without an answer Slack is taken to be away, and the rest is left for the next pass."""


def deliver(
    registry: Registry, slack: SlackApi | None, *, correlation_id: str, owner: str, clock: Clock, channel_of: ChannelOf
) -> DeliveryReport:
    """Sends what this deployment has to tell; what cannot be sent now stays for the next delivery.

    Slack's failures are in the report, never raised. `channel_of` gives an environment's channel, or None.

    Raises:
        RegistryUnavailableError: the outbox cannot be read or written.
    """
    claim = _Claim(registry, f"notify:{correlation_id}", f"{owner}/{secrets.token_hex(4)}")
    report = DeliveryReport()
    # Looked at again after the release: a row written meanwhile, whose writer found the lease taken, must not be left.
    while report.is_complete and _is_pending(registry, correlation_id):
        with claim.held() as granted:
            if not granted:
                return report + DeliveryReport(busy=1)
            rows = registry.outbox.rows(correlation_id)
            deployment = registry.deployments.get(correlation_id)
            channel = channel_of(deployment.environment) if slack else None
            sender = Sender(registry.outbox, slack, deployment, channel) if slack and channel else None
            report += _Delivery(registry.outbox, rows, claim, clock).run(sender)
    return report


def deliver_all(
    registry: Registry, slack: SlackApi | None, *, owner: str, clock: Clock, channel_of: ChannelOf, limit: int = 100
) -> DeliveryReport:
    """Delivers for up to `limit` deployments, until Slack asks to wait or seems to be away.

    Raises:
        RegistryUnavailableError: as `deliver`.
    """
    total, failures = DeliveryReport(), 0
    for correlation_id in registry.outbox.undelivered(limit=limit):
        try:
            report = deliver(
                registry, slack, correlation_id=correlation_id, owner=owner, clock=clock, channel_of=channel_of
            )
        except DeploymentNotFoundError as error:  # its rows outlived its record: no reason to leave the others waiting
            total += DeliveryReport(unavailable=(str(error),))
            continue
        total += report
        failures = failures + 1 if report.unavailable else 0
        if report.retry_after_seconds is not None or failures == _FAILURES_IN_A_ROW:
            break
    return total


@dataclass
class _Claim:
    """The right to send for one deployment. The owner is made unique: two threads of one run are two deliverers."""

    registry: Registry
    name: str
    owner: str
    pause_seconds: float = 0

    @contextmanager
    def held(self) -> Iterator[bool]:
        granted = self.renew()
        try:
            yield granted
        finally:
            if granted:
                self._let_go()

    def renew(self) -> bool:
        return self.registry.leases.acquire(self.name, self.owner, lifetime_seconds=_CLAIM_SECONDS)

    def _let_go(self) -> None:
        """To nobody while Slack wants to be left alone: whoever delivers, here or elsewhere, waits it out."""
        self.registry.leases.release(self.name, self.owner)
        if self.pause_seconds > 0:
            self.registry.leases.acquire(self.name, "slack-asked-to-wait", lifetime_seconds=self.pause_seconds)


@dataclass
class _Delivery:
    """The rows of one deployment, oldest first. `rows` is kept true while they are worked off."""

    outbox: Outbox
    rows: list[OutboxRow]
    claim: _Claim
    clock: Clock

    def run(self, sender: Sender | None) -> DeliveryReport:
        """Works off the waiting rows; without a sender they are kept for `interlock show`."""
        report = DeliveryReport()
        for row in [row for row in self.rows if row.state is DeliveryState.WAITING]:
            if not self.claim.renew():
                return report + DeliveryReport(busy=1)
            report += self._step(row, sender)
            if report.unavailable:
                break
        return report

    def _step(self, row: OutboxRow, sender: Sender | None) -> DeliveryReport:
        if sender is None:
            self._store(row, state=DeliveryState.KEPT)
            return DeliveryReport(kept=1)
        if row.notice.kind.is_ephemeral and row.sequence != self.rows[-1].sequence:
            self._store(row, state=DeliveryState.SKIPPED)
            return DeliveryReport(skipped=1)
        return self._send(row, sender)

    def _send(self, row: OutboxRow, sender: Sender) -> DeliveryReport:
        try:
            if row.slack_ts is None:  # otherwise it is in Slack, and the last delivery ended before the summary
                row = self._store(sender.announce(row))
            sender.sum_up(row, self.rows, self.clock())
        except SlackUnavailableError as error:
            return self._put_off(row, error)
        except SlackRefusedError as error:
            return self._park(row, error)
        self._store(row, state=DeliveryState.DELIVERED)
        return DeliveryReport(delivered=1)

    def _put_off(self, row: OutboxRow, error: SlackUnavailableError) -> DeliveryReport:
        """The row waits, and so do those after it: order matters more than speed."""
        self._store(row, attempts=row.attempts + 1, last_error=str(error))
        self.claim.pause_seconds = min(error.retry_after_seconds or 0, _LONGEST_PAUSE_SECONDS)
        reason = f"{error} [{row.correlation_id}]"
        return DeliveryReport(unavailable=(reason,), retry_after_seconds=error.retry_after_seconds)

    def _park(self, row: OutboxRow, error: SlackRefusedError) -> DeliveryReport:
        """Never tried again; reported once a deployment. A refused summary does not undo the row before it."""
        if row.slack_ts is not None:
            self._store(row, state=DeliveryState.DELIVERED, last_error=str(error))
            return DeliveryReport(delivered=1)
        reported = any(other.state is DeliveryState.PARKED for other in self.rows)
        self._store(row, state=DeliveryState.PARKED, attempts=row.attempts + 1, last_error=str(error))
        reason = f"{error} [{row.correlation_id}]"
        return DeliveryReport(parked=1, refusals=() if reported else (reason,))

    def _store(self, row: OutboxRow, **changes: object) -> OutboxRow:
        stored = row.model_copy(update=changes)
        self.outbox.update(stored)
        self.rows = [stored if other.sequence == row.sequence else other for other in self.rows]
        return stored


def _is_pending(registry: Registry, correlation_id: str) -> bool:
    return any(row.state is DeliveryState.WAITING for row in registry.outbox.rows(correlation_id))
