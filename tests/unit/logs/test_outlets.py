import io
import json
import logging

import pytest

from interlock.logs.lines import JsonLine
from interlock.logs.outlets import set_up
from interlock.logs.subject import Subject
from interlock.settings import Settings
from tests.unit.logs.kit import ID, OURS, Kept, logger, process_about


class Decorating(logging.StreamHandler[io.StringIO]):
    """As Prefect's console handler."""


def test_for_json_a_plain_handler_takes_the_place_of_the_decorating_one(capsys: pytest.CaptureFixture[str]) -> None:
    root = logger(Decorating(io.StringIO()))
    set_up(root, as_json=True)
    with process_about(OURS):
        root.info("text")
    assert json.loads(capsys.readouterr().err)["correlation_id"] == ID


def test_text_stays_where_it_was_and_is_marked() -> None:
    stream = io.StringIO()
    root = logger(Decorating(stream))
    set_up(root, as_json=False)
    with process_about(OURS):
        root.info("text")
    assert stream.getvalue() == f"[{ID}] text\n"


def test_a_runs_log_is_text_even_when_the_process_writes_json() -> None:
    kept = Kept()
    run = logger(kept)
    set_up(logger(), as_json=True, run_loggers=[run])
    with process_about(OURS):
        run.info("text")
    assert kept.lines == [f"[{ID}] text"]


def test_set_up_again_changes_nothing() -> None:
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    root = logger(Kept())
    set_up(root, as_json=False, make_distant=make)
    before = [(handler, handler.formatter, list(handler.filters)) for handler in root.handlers]
    set_up(root, as_json=False, make_distant=make)
    assert [(handler, handler.formatter, list(handler.filters)) for handler in root.handlers] == before
    assert len(made) == 1


def test_the_distant_handler_writes_as_it_was_made_to() -> None:
    distant = Kept()
    distant.setFormatter(JsonLine())
    root = logger(Kept())
    set_up(root, as_json=False, make_distant=lambda: distant)
    with process_about(Subject(environment="staging")):
        root.info("text")
    assert json.loads(distant.lines[0])["environment"] == "staging"


@pytest.mark.parametrize(
    ("log_format", "log_group", "on_terminal", "as_json"),
    [
        (None, None, False, False),
        (None, "/interlock", False, True),
        (None, "/interlock", True, False),
        ("json", None, True, True),
        ("text", "/interlock", False, False),
    ],
)
def test_json_is_for_production(
    log_format: str | None, log_group: str | None, on_terminal: bool, as_json: bool
) -> None:
    settings = Settings.model_validate({"log_format": log_format, "log_group": log_group})
    assert settings.logs_json(on_terminal=on_terminal) is as_json
