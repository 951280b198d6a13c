"""The outbox on its way to Slack (promise 3): at least once, in order per deployment, never in anybody's way.

A claim on the deployment keeps two deliverers apart. What was sent is stored before anything else is sent, so only an
answer that was lost on its way back can make a duplicate, and each can make one. A delivery waits for its turn in the
channel no longer than its patience lasts, and never for a Slack that asked to be left alone: both are a later one's.
"""

from dataclasses import dataclass

from interlock.clock import Clock
from interlock.errors import DeploymentNotFoundError, InterlockError, SlackRefusedError, SlackUnavailableError
from interlock.models.notice import DeliveryState, OutboxRow
from interlock.notifications.announcements import announcement_of
from interlock.notifications.audience import AudienceOf
from interlock.notifications.claim import Claim
from interlock.notifications.pace import PacedSlack, Patience, PostponedError
from interlock.notifications.ports import Outbox, Registry, SlackApi
from interlock.notifications.report import DeliveryReport
from interlock.notifications.sender import Sender

_FAILURES_IN_A_ROW = 3
"""After so many deployments without an answer Slack is taken to be away, and the rest is left for the next pass."""


@dataclass(frozen=True)
class Deliverer:
    """Whoever is alive: a run, a hook, the schedule. `owner` names it; `slack` is None where none is configured."""

    registry: Registry
    slack: SlackApi | None
    owner: str
    clock: Clock
    audience_of: AudienceOf

    def deliver(self, correlation_id: str, patience: Patience) -> DeliveryReport:
        """Sends what this deployment has to tell; what cannot be sent now stays for the next delivery.

        Slack's failures are in the report, never raised.

        Raises:
            RegistryUnavailableError: the outbox cannot be read or written.
        """
        claim = Claim(self.registry.leases, self.clock, correlation_id=correlation_id, owner=self.owner)
        report = DeliveryReport()
        # Looked at again after the release: a row written meanwhile, whose writer found the claim taken, is not left.
        while report.is_complete and self._is_pending(correlation_id):
            with claim.held() as granted:
                if not granted:
                    return report + DeliveryReport(busy=1)
                report += self._work_off(correlation_id, claim, patience)
        return report

    def deliver_all(self, patience: Patience, *, limit: int = 100) -> DeliveryReport:
        """Delivers for up to `limit` deployments, until Slack asks to wait or seems to be away.

        Raises:
            RegistryUnavailableError: as `deliver`.
        """
        total, failures = DeliveryReport(), 0
        for correlation_id in self.registry.outbox.undelivered(limit=limit):
            report = self.deliver(correlation_id, patience)
            total += report
            failures = failures + 1 if report.unavailable else 0
            if report.retry_after_seconds is not None or failures == _FAILURES_IN_A_ROW:
                break
        return total

    def _work_off(self, correlation_id: str, claim: Claim, patience: Patience) -> DeliveryReport:
        delivery = _Delivery(self.registry.outbox, self.registry.outbox.rows(correlation_id), claim, self.clock)
        try:
            about = announcement_of(delivery.rows) or self.registry.deployments.get(correlation_id)
        except DeploymentNotFoundError as error:
            return delivery.park_all(error)
        audience = self.audience_of(about.environment)
        if self.slack is None or audience is None:
            return delivery.run(None)
        slack = PacedSlack(self.slack, self.registry.leases, claim, patience, audience.channel)
        return delivery.run(Sender(self.registry.outbox, slack, about, audience))

    def _is_pending(self, correlation_id: str) -> bool:
        return any(row.state is DeliveryState.WAITING for row in self.registry.outbox.rows(correlation_id))


@dataclass
class _Delivery:
    """The rows of one deployment, oldest first. `rows` is kept true while they are worked off."""

    outbox: Outbox
    rows: list[OutboxRow]
    claim: Claim
    clock: Clock

    def run(self, sender: Sender | None) -> DeliveryReport:
        """Works off the waiting rows; without a sender they are kept for `interlock show`."""
        report = DeliveryReport()
        for row in [row for row in self.rows if row.state is DeliveryState.WAITING]:
            if not self.claim.is_ours():
                return report + DeliveryReport(busy=1)
            report += self._step(row, sender)
            if not report.is_complete:
                break
        return report

    def park_all(self, error: InterlockError) -> DeliveryReport:
        """Nothing can be said any more: the rows outlived their record."""
        return sum(
            (self._park(row, error) for row in self.rows if row.state is DeliveryState.WAITING), start=DeliveryReport()
        )

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
                row = self._store(sender.announce(row, self.rows))
            sender.sum_up(row, self.rows, self.clock())
        except PostponedError as error:
            return DeliveryReport(busy=1, retry_after_seconds=error.retry_after_seconds)
        except SlackUnavailableError as error:
            return self._put_off(row, error)
        except SlackRefusedError as error:
            return self._park(row, error)
        self._store(row, state=DeliveryState.DELIVERED)
        return DeliveryReport(delivered=1)

    def _put_off(self, row: OutboxRow, error: SlackUnavailableError) -> DeliveryReport:
        """The row waits, and so do those after it: order matters more than speed."""
        self._store(row, attempts=row.attempts + 1, last_error=str(error))
        reason = f"{error} [{row.correlation_id}]"
        return DeliveryReport(unavailable=(reason,), retry_after_seconds=error.retry_after_seconds)

    def _park(self, row: OutboxRow, error: InterlockError) -> DeliveryReport:
        """Never tried again; reported once a deployment. A refused summary does not undo the row before it."""
        if row.slack_ts is not None:
            self._store(row, state=DeliveryState.DELIVERED, last_error=str(error))
            return DeliveryReport(delivered=1)
        reported = any(other.state is DeliveryState.PARKED for other in self.rows)
        self._store(row, state=DeliveryState.PARKED, attempts=row.attempts + 1, last_error=str(error))
        return DeliveryReport(parked=1, refusals=() if reported else (f"{error} [{row.correlation_id}]",))

    def _store(self, row: OutboxRow, **changes: object) -> OutboxRow:
        stored = row.model_copy(update=changes)
        self.outbox.update(stored)
        self.rows = [stored if other.sequence == row.sequence else other for other in self.rows]
        return stored
