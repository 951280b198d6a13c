"""The log: the run's own where there is one (people follow it), the process's otherwise (hooks run without a run)."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from prefect import get_run_logger
from prefect.exceptions import CancelledRun, FailedRun, MissingContextError
from prefect.logging import get_logger
from prefect.logging.loggers import flow_run_logger

from interlock.logs import masking, outlets, subject
from interlock.logs.subject import Subject
from interlock.models.deployment import Deployment
from interlock.wiring import installation

Log = logging.Logger | logging.LoggerAdapter[Any]

_RUN_LOGGERS = ("prefect.flow_runs", "prefect.task_runs")
"""Prefect gives these the handler that takes their lines to the run's page, and to clients."""
_RAISING_LOGGERS = ("prefect.flow_runs", "prefect.engine")
"""What these log of a run that ended badly is a traceback through Prefect's own engine."""


def run_log() -> Log:
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("interlock")


def log_of(deployment: Deployment) -> Log:
    """The log of the deployment's own run, from within its monitor: the one that people and clients follow."""
    if deployment.flow_run_id is None:
        return run_log()
    return flow_run_logger(flow_run_id=UUID(deployment.flow_run_id))


def begin_log(about: Subject | None = None, *, stream: str | None = None) -> None:
    """Prepare this process's log; again, it only says what the process is about, or (`stream`) of what kind it is.

    Called where a process begins and, for engines that were not started by our runner, where its flow does.
    """
    here, root = installation(), logging.getLogger()
    masking.mask_with(here.redactor.redact)
    for name in _RAISING_LOGGERS:
        logging.getLogger(name).addFilter(is_news)  # added again, it changes nothing
    as_json = here.settings.logs_json(on_terminal=sys.stderr.isatty())
    outlets.set_up(
        root,
        as_json=as_json,
        run_loggers=[logging.getLogger(name) for name in _RUN_LOGGERS],
        make_distant=here.cloudwatch_log,
    )
    if about:
        subject.process_is_about(about)
    if stream:
        subject.process_writes_to(stream)


def is_news(record: logging.LogRecord) -> bool:
    """False of Prefect's traceback for a state that a flow returned: an ending that we have told of in words by then."""
    raised = record.exc_info[0] if record.exc_info else None
    return raised is None or not issubclass(raised, FailedRun | CancelledRun)


def process_is_about(deployment: Deployment) -> None:
    """From now on every line of this process, in every thread, is about this deployment."""
    begin_log(Subject.of(deployment))


@contextmanager
def about(deployment: Deployment) -> Iterator[None]:
    """Within it, the lines of this thread are about a deployment that is not this process's own."""
    with subject.about(Subject.of(deployment)):
        yield


def finish_log() -> None:
    """The end of a process that Python's own exit handlers do not see."""
    if installation().settings.log_group:
        from interlock.logs.cloudwatch import finish  # noqa: PLC0415 - brings boto3 with it

        finish(logging.getLogger())
