"""What the monitor makes of an observation: events on record, a progress bar, notices of a stall and of its end."""

from datetime import datetime, timedelta

from pydantic import JsonValue

from interlock.errors import TemporaryError
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.models.past_operation import PastOperation
from interlock.models.stack import StackEvent
from interlock.monitoring.past import past_operation
from interlock.monitoring.progress import ResourceState
from interlock.monitoring.resource_table import resource_table
from interlock.monitoring.stall import Stall, StallMemory, StallNews
from interlock.monitoring.watcher import Bookmark, Observation
from interlock.notices import diagnosis_facts
from interlock.wiring import installation
from tasks.artifacts import ProgressArtifact, ResourceTable
from tasks.diagnosing import Diagnoses
from tasks.notify import notify
from tasks.run_log import log_of

PROGRESS_NOTICE_SECONDS = 20
"""The channel's one message of a deployment is edited no oftener than this."""


class Reporter:
    """Reports one operation, over all the lives of its monitor. Its failures are its own: the deployment never hears of
    them (promise 5).
    """

    # A subflow is given it, and Prefect would store what it finds in `vars()` of a parameter: with slots there is none.
    __slots__ = (
        "_bar",
        "_deployment",
        "_diagnoses",
        "_here",
        "_log",
        "_nested_error",
        "_stalls",
        "_table",
        "_told_at",
        "bookmark",
    )

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._here = installation()
        self.bookmark = Bookmark(self._here.clock())
        self._bar = ProgressArtifact(deployment.flow_run_id)
        self._table = ResourceTable(deployment.flow_run_id)
        self._log = log_of(deployment)
        self._diagnoses = Diagnoses(deployment)
        self._told_at: datetime | None = None
        self._stalls = StallMemory()
        self._nested_error: str | None = None

    @property
    def unwatched_seconds(self) -> float:
        return (self._here.clock() - self.bookmark.looked_at).total_seconds()

    def report(self, observation: Observation) -> None:
        self._log_observation(observation)
        self._diagnoses.of_failure(observation)
        self._record(observation)
        self._show(observation)

    def announce_gap(self, seconds: float) -> None:
        """The monitor died and is being restarted: say that nobody looked for so long."""
        self._log.warning("Nobody looked for %d s: the monitor is being started again.", seconds)
        details = f"It ended before the operation; nobody looked for {seconds:.0f} s."
        self._here.registry.deployments.record(
            self._deployment.correlation_id,
            events=[DeploymentEvent(timestamp=self._here.clock(), event="MONITOR_RESTARTED", details=details)],
            notices=[Notice(kind=NoticeKind.MONITOR_GAP, facts={"seconds": round(seconds, 1)})],
        )
        notify(self._deployment)

    def report_trouble(self, what: str, error: Exception) -> None:
        self._log.warning("%s; the deployment goes on: %s", what, error)

    def _log_observation(self, observation: Observation) -> None:
        if observation.read_error:
            self._log.warning(
                "The stack's events could not be read (%d in a row): %s",
                observation.failed_reads,
                observation.read_error,
            )
        if observation.nested_error != self._nested_error:
            self._nested_error = observation.nested_error
            if self._nested_error:
                self._log.warning("A nested stack's events could not be read: %s", self._nested_error)
        for event in observation.new_events:
            self._log.info("%s", _line(event), extra={"event": _event_name(event)})

    def _record(self, observation: Observation) -> None:
        notices, found = self._notices(observation), self._diagnoses.take_events()
        if not observation.new_events and not notices and not found:
            return
        try:
            self._here.registry.deployments.record(
                self._deployment.correlation_id,
                events=[*map(_as_record_event, observation.new_events), *found],
                notices=notices,
                changes=_stack_status(observation) | _expected_finish(observation) | _timing(observation),
            )
        except TemporaryError as error:
            self._log.warning("The registry did not take the stack's events: %s", error)
            return
        if notices:
            notify(self._deployment)

    def _notices(self, observation: Observation) -> list[Notice]:
        return [*self._stall_notices(observation), *self._progress_notices(observation)]

    def _stall_notices(self, observation: Observation) -> list[Notice]:
        """One warning a stage and level, and one line when it moves again; not one a poll."""
        news = self._stalls.news_of(observation.stall)
        if news is StallNews.MOVING_AGAIN:
            self._log.info("It moves again.", extra={"event": "MOVING_AGAIN"})
            return [Notice(kind=NoticeKind.MOVING_AGAIN)]
        if news is None or observation.stall is None:
            return []
        self._log.warning("%s", _stall_line(observation.stall), extra={"event": "STALLED"})
        findings = self._diagnoses.of_stall(observation.stall, observation)
        return [Notice(kind=NoticeKind.STALLED, facts=_stall_facts(observation.stall) | diagnosis_facts(findings))]

    def _progress_notices(self, observation: Observation) -> list[Notice]:
        now = observation.observed_at
        if observation.is_ended or (self._told_at and (now - self._told_at).total_seconds() < PROGRESS_NOTICE_SECONDS):
            return []
        if self._told_at is None:  # the first one is due in a while: "deploying" was told a moment ago
            self._told_at = now
            return []
        self._told_at = now
        return [Notice(kind=NoticeKind.PROGRESS, facts=_facts(observation))]

    def _show(self, observation: Observation) -> None:
        percent = observation.progress.percent
        if percent is not None:
            self._bar.show(percent, _summary(observation))
        if observation.is_ended or self._table.is_due(observation.observed_at):
            self._table.show(resource_table(observation.progress), _summary(observation), at=observation.observed_at)


def _line(event: StackEvent) -> str:
    reason = f": {event.reason}" if event.reason else ""
    return f"{event.logical_id} ({event.resource_type}) {event.status}{reason}"


def _as_record_event(event: StackEvent) -> DeploymentEvent:
    return DeploymentEvent(timestamp=event.timestamp, event=_event_name(event), details=_line(event))


def _event_name(event: StackEvent) -> str:
    """`AWS::ECS::Service` in `CREATE_COMPLETE` is `ECS_SERVICE_CREATE_COMPLETE`."""
    kind = "_".join(event.resource_type.split("::")[1:]) or event.resource_type
    return f"{kind}_{event.status}".upper().replace("-", "_")


def _stack_status(observation: Observation) -> dict[str, str]:
    own = [event for event in observation.new_events if event.is_of_the_stack]
    return {"stack_status": own[-1].status} if own else {}


def _expected_finish(observation: Observation) -> dict[str, datetime]:
    """Kept on record, so that those who wait can be told without a look at the stack."""
    if observation.estimate is None:
        return {}
    now, estimate = observation.observed_at, observation.estimate
    return {
        "likely_finish": now + timedelta(seconds=estimate.p50_seconds),
        "late_finish": now + timedelta(seconds=estimate.p90_seconds),
    }


def _timing(observation: Observation) -> dict[str, PastOperation]:
    """Left on record for the estimates of later operations."""
    past = past_operation(observation.events) if observation.is_ended else None
    return {"operation": past} if past else {}


def _stall_line(stall: Stall) -> str:
    names = ", ".join(f"{row.logical_id} ({row.resource_type}) for {row.seconds or 0:.0f} s" for row in stall.overdue)
    running = f"; longer than likely: {names}" if names else ""
    return f"The deployment may be stalled ({stall.level}): no events for {stall.quiet_seconds:.0f} s{running}."


def _stall_facts(stall: Stall) -> dict[str, JsonValue]:
    overdue: list[JsonValue] = [
        {"logical_id": row.logical_id, "resource_type": row.resource_type, "seconds": row.seconds}
        for row in stall.overdue
    ]
    return {"severity": stall.level.value, "silent_seconds": round(stall.quiet_seconds), "resources": overdue}


def _facts(observation: Observation) -> dict[str, JsonValue]:
    progress, estimate = observation.progress, observation.estimate
    running: list[JsonValue] = [
        {"logical_id": row.logical_id, "seconds": row.seconds}
        for row in progress.resources
        if row.state is ResourceState.RUNNING
    ]
    return {
        "done": progress.done,
        "total": len(progress.resources),
        "percent": progress.percent,
        "running": running,
        "remaining_seconds_low": estimate.p50_seconds if estimate else None,
        "remaining_seconds_high": estimate.p90_seconds if estimate else None,
    }


def _summary(observation: Observation) -> str:
    progress = observation.progress
    rows = (*progress.resources, *progress.nested)
    running = ", ".join(row.logical_id for row in rows if row.state is ResourceState.RUNNING)
    return f"{progress.done} of {len(progress.resources)} resources{f', now {running}' if running else ''}"
