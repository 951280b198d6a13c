import logging

import pytest

from interlock.logs.lines import JsonLine
from interlock.logs.masking import WITHHELD, Mask, mask_with
from tests.unit.logs.kit import Kept, logger

SECRET = "hunter2"


@pytest.fixture
def kept() -> Kept:
    handler = Kept()
    handler.addFilter(Mask())
    return handler


def hide(text: str) -> str:
    return text.replace(SECRET, "****")


def test_without_a_redactor_a_line_is_as_it_was(kept: Kept) -> None:
    logger(kept).info("%s of %d", "one", 2)
    assert kept.lines == ["one of 2"]


def test_message_arguments_and_traceback_are_masked(kept: Kept) -> None:
    mask_with(hide)
    kept.setFormatter(JsonLine())
    try:
        int(SECRET)
    except ValueError:
        logger(kept).exception("password %s", SECRET)
    assert SECRET not in kept.lines[0]
    assert "password ****" in kept.lines[0]
    assert "ValueError: invalid literal for int() with base 10: '****'" in kept.lines[0]


def test_a_handler_after_it_that_has_no_mask_of_its_own_is_safe_too(kept: Kept) -> None:
    mask_with(hide)
    later = Kept()
    logger(kept, later).info("password %s", SECRET)
    assert later.lines == ["password ****"]


def test_a_second_redactor_works_beside_the_first(kept: Kept) -> None:
    mask_with(hide)
    mask_with(lambda text: text.replace("other", "####"))
    logger(kept).info("%s and other", SECRET)
    assert kept.lines == ["**** and ####"]


def test_a_line_that_cannot_be_masked_is_withheld_and_the_caller_goes_on(kept: Kept) -> None:
    def failing(_text: str) -> str:
        raise RuntimeError(SECRET)

    mask_with(failing)
    logger(kept).info("password %s", SECRET)
    assert kept.lines == [WITHHELD]


def test_arguments_that_do_not_fit_harm_nobody(kept: Kept) -> None:
    logger(kept).log(logging.INFO, "%d", "text")
    assert kept.lines == [WITHHELD]
