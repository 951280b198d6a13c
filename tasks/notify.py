"""Send what a deployment has to tell, beside the deployment: Slack never blocks it and never fails it."""

import os
import socket
import time

from prefect.futures import PrefectFuture

from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.notice import Notice, NoticeKind
from interlock.notifications.delivery import Deliverer
from interlock.notifications.pace import Patience
from interlock.notifications.report import DeliveryReport
from interlock.timing import DELIVERY_PASS_SECONDS, OUTBOX_FLUSH_SECONDS
from interlock.wiring import installation
from tasks.run_log import run_log
from tasks.step import as_task, step

_LOOK_AGAIN_SECONDS = 0.25


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
    _say_once_that_it_is_degraded(deployment)
    _notify_at_last_task.submit(deployment.correlation_id).wait(timeout=OUTBOX_FLUSH_SECONDS)


def deliver_for(correlation_id: str) -> DeliveryReport:
    """Deliver one deployment's outbox, here and now."""
    report = _deliverer().deliver(correlation_id, Patience(OUTBOX_FLUSH_SECONDS))
    _log(report)
    return report


def deliver_at_last(correlation_id: str) -> DeliveryReport:
    """The same until nothing waits, or for OUTBOX_FLUSH_SECONDS: another thread of this run may be at it still."""
    deadline = time.monotonic() + OUTBOX_FLUSH_SECONDS
    report = deliver_for(correlation_id)
    while _may_be_sent_by(deadline, report):
        time.sleep(_LOOK_AGAIN_SECONDS)
        report = deliver_for(correlation_id)
    return report


def _may_be_sent_by(deadline: float, report: DeliveryReport) -> bool:
    is_our_turn_to_come = report.busy > 0 or report.retry_after_seconds is not None
    return is_our_turn_to_come and time.monotonic() + (report.retry_after_seconds or 0) < deadline


_notify_task = as_task(deliver_for, name="tell Slack", retry_delays_seconds=(1,))
_notify_at_last_task = as_task(deliver_at_last, name="tell Slack how it stands", retry_delays_seconds=(1,))


@step("deliver what is waiting")
def deliver_waiting() -> DeliveryReport:
    """Everybody's: for the scheduled delivery and the sweep."""
    report = _deliverer().deliver_all(Patience(DELIVERY_PASS_SECONDS))
    _log(report)
    return report


def _log(report: DeliveryReport) -> None:
    for problem in (*report.unavailable, *report.refusals):
        run_log().warning("%s", problem)


def _deliverer() -> Deliverer:
    here = installation()
    owner = f"{socket.gethostname()}-{os.getpid()}"
    return Deliverer(here.registry, here.slack, owner=owner, clock=here.clock, audience_of=here.audience)
