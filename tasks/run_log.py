"""The log: the run's own where there is one (people follow it), the process's otherwise (hooks run without a run)."""

import logging
from typing import Any

from prefect import get_run_logger
from prefect.exceptions import MissingContextError
from prefect.logging import get_logger

Log = logging.Logger | logging.LoggerAdapter[Any]


def run_log() -> Log:
    try:
        return get_run_logger()
    except MissingContextError:
        return get_logger("interlock")
