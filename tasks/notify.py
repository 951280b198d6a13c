"""Send what a deployment has to tell, beside the deployment: Slack never blocks it and never fails it."""

import os
import socket

from prefect.futures import PrefectFuture

from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.notifications.delivery import deliver, deliver_all
from interlock.notifications.report import DeliveryReport
from interlock.timing import OUTBOX_FLUSH_SECONDS
from interlock.wiring import installation
from tasks.run_log import run_log
from tasks.step import as_task, step


def notify(deployment: Deployment) -> PrefectFuture[DeliveryReport]:
    """Begin to deliver this deployment's outbox; what cannot be sent now, the scheduled delivery sends later."""
    _say_once_that_it_is_degraded(deployment)
    return _notify_task.submit(deployment.correlation_id)


def _say_once_that_it_is_degraded(deployment: Deployment) -> None:
    here = installation()
    if not here.is_degraded or deployment.correlation_id in _told_degraded:
        return
    _told_degraded.add(deployment.correlation_id)
    run_log().warning(
        "The registry does not answer: the slot and the stack's status alone protect this deployment now."
    )
    here.registry.deployments.record(
        deployment.correlation_id,
        events=[DeploymentEvent(timestamp=here.clock(), event="REGISTRY_UNAVAILABLE", details="Going on without it.")],
        notices=[Notice(kind=NoticeKind.DEGRADED, facts={"what": "the registry does not answer"})],
    )


_told_degraded: set[str] = set()


def notify_at_last(deployment: Deployment) -> None:
    """The same for a run that is about to end: waits a little, so that its last message is not left to the schedule."""
    notify(deployment).wait(timeout=OUTBOX_FLUSH_SECONDS)


def deliver_for(correlation_id: str) -> DeliveryReport:
    """Deliver one deployment's outbox, here and now."""
    here = installation()
    report = deliver(
        here.registry,
        here.slack,
        correlation_id=correlation_id,
        owner=_owner(),
        clock=here.clock,
        channel_of=here.slack_channel,
    )
    _log(report)
    return report


_notify_task = as_task(deliver_for, name="notify", retry_delays_seconds=(1,))


@step("deliver what is waiting")
def deliver_waiting() -> DeliveryReport:
    """Everybody's: for the scheduled delivery and the sweep."""
    here = installation()
    report = deliver_all(here.registry, here.slack, owner=_owner(), clock=here.clock, channel_of=here.slack_channel)
    _log(report)
    return report


def _log(report: DeliveryReport) -> None:
    for problem in (*report.unavailable, *report.refusals):
        run_log().warning("%s", problem)


def _owner() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
