"""What a delivery did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DeliveryReport:
    """Counts of outbox rows, and what a log should say. Reports add up."""

    delivered: int = 0
    skipped: int = 0
    kept: int = 0
    parked: int = 0
    refusals: tuple[str, ...] = ()
    """Why rows were parked, once a deployment."""
    unavailable: tuple[str, ...] = ()
    """Why rows wait for the next delivery, each with its correlation id."""
    retry_after_seconds: float | None = None
    """How long Slack asked us to wait; None if it did not."""
    busy: int = 0
    """Deployments that another deliverer has, or whose turn in the channel has not come."""

    def __add__(self, other: "DeliveryReport") -> "DeliveryReport":
        waits = [wait for wait in (self.retry_after_seconds, other.retry_after_seconds) if wait is not None]
        return DeliveryReport(
            delivered=self.delivered + other.delivered,
            skipped=self.skipped + other.skipped,
            kept=self.kept + other.kept,
            parked=self.parked + other.parked,
            refusals=self.refusals + other.refusals,
            unavailable=self.unavailable + other.unavailable,
            retry_after_seconds=max(waits, default=None),
            busy=self.busy + other.busy,
        )

    @property
    def is_complete(self) -> bool:
        """Nothing waits any more."""
        return not self.unavailable and not self.busy
