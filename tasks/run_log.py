"""The log: the run's own where there is one (people follow it), the process's otherwise (hooks run without a run)."""

import logging
from typing import Any
from uuid import UUID

from prefect import get_run_logger
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger
from prefect.logging.loggers import flow_run_logger

from interlock.models.deployment import Deployment

Log = logging.Logger | logging.LoggerAdapter[Any]


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
