import json
import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from interlock.correlation_id import marked, unmarked
from interlock.logs.lines import JsonLine, MarkedLine
from interlock.logs.masking import Mask
from interlock.logs.subject import AddSubject
from tests.unit.logs.kit import ID, OURS, Kept, logger, process_about


def record(message: str, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("botocore.retry", logging.WARNING, __file__, 1, message, None, None)
    made.created = 1_795_515_422.5
    vars(made).update(fields)
    return made


def test_a_json_line_has_the_fields_that_queries_are_written_for() -> None:
    line = record(
        "text", correlation_id=ID, environment="staging", stack_name="shop", flow_run_id="run", task_name="t", event="E"
    )
    assert json.loads(JsonLine().format(line)) == {
        "timestamp": "2026-11-24T10:17:02.500Z",
        "level": "WARNING",
        "logger": "botocore.retry",
        "message": "text",
        "event": "E",
        "correlation_id": ID,
        "environment": "staging",
        "stack_name": "shop",
        "flow_run_id": "run",
        "task": "t",
        "thread": "MainThread",
    }


@given(st.text())
def test_a_json_line_is_one_line_of_visible_characters_whatever_the_text(text: str) -> None:
    line = JsonLine().format(record(text.replace("%", "%%")))
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text.replace("%", "%%")


def test_a_traceback_is_part_of_its_line() -> None:
    try:
        int("wrong")
    except ValueError:
        line = JsonLine().format(record("it failed", exc_info=sys.exc_info()))
    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: invalid literal for int() with base 10: 'wrong'")


def test_a_line_for_people_is_marked_and_cannot_move_the_cursor() -> None:
    kept = Kept()
    kept.setFormatter(MarkedLine(logging.Formatter("%(levelname)s | %(message)s")))
    kept.addFilter(AddSubject())
    with process_about(OURS):
        logger(kept).warning("100%% \x1b[2K\rfine\nsecond line")
    assert kept.lines == [f"WARNING | [{ID}] 100%% \\x1b[2K\\x0dfine\nsecond line"]


def test_other_handlers_see_the_record_without_the_mark() -> None:
    first, second = Kept(), Kept()
    for handler in (first, second):
        handler.addFilter(AddSubject())
        handler.addFilter(Mask())
    first.setFormatter(MarkedLine())
    with process_about(OURS):
        logger(first, second).info("%s", "text")
    assert (first.lines, second.lines) == ([f"[{ID}] text"], ["text"])


def test_whoever_sees_one_deployment_sees_its_lines_without_the_mark() -> None:
    assert unmarked(marked("[x] text", ID)) == "[x] text"
    assert unmarked(marked("text", None)) == "text"
    assert unmarked("[20261124] text") == "[20261124] text"
