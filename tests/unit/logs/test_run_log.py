"""Which of Prefect's own lines a run's log is spared."""

import sys

import pytest
from prefect.exceptions import CancelledRun, FailedRun

from tasks.run_log import is_news
from tests.unit.logs.kit import Kept, logger


@pytest.mark.parametrize(
    ("error", "lines"),
    [(FailedRun("Rolled back."), 0), (CancelledRun("Denied."), 0), (ValueError("A mistake of ours."), 1)],
)
def test_the_traceback_of_an_ending_that_was_told_in_words_is_left_out_and_of_no_other_error(
    error: Exception, lines: int
) -> None:
    kept = Kept()
    run = logger(kept)
    run.addFilter(is_news)
    try:
        raise error
    except type(error):
        run.error("Engine execution exited with unexpected exception", exc_info=sys.exc_info())
    assert len(kept.lines) == lines
