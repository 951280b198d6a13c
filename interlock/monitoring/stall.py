"""Stalls: an operation that is past what its resources normally need, not merely silent."""

from datetime import datetime

from interlock.models.base import Value
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState, Stage
from interlock.monitoring.resource_seconds import normal_of


class Stall(Value):
    """Worth one warning per `stage`: nothing has been heard for `quiet_seconds`, and these resources are overdue."""

    stage: Stage
    quiet_seconds: float
    overdue: tuple[ResourceProgress, ...]


def stall_of(progress: Progress, *, now: datetime, stall_after_minutes: float) -> Stall | None:
    """The stall that an operation is in, if any.

    Types known to be slow and silent (databases, ECS services, custom resources...) have their own, longer patience. An
    operation not seen yet and one that only cleans up (CloudFormation tries removals thrice, hours apart) are none.
    """
    if progress.stage not in (Stage.DEPLOYING, Stage.ROLLING_BACK) or progress.last_event_at is None:
        return None
    patience = stall_after_minutes * 60
    quiet = (now - progress.last_event_at).total_seconds()
    running = progress.in_state(ResourceState.RUNNING)
    overdue = tuple(each for each in running if (each.seconds or 0.0) >= _patience_with(each, patience))
    if quiet < patience or (running and not overdue):
        return None
    return Stall(stage=progress.stage, quiet_seconds=quiet, overdue=overdue)


def _patience_with(resource: ResourceProgress, patience_seconds: float) -> float:
    return max(patience_seconds, normal_of(resource.resource_type).silent_seconds or 0.0)
