"""A text that nests without end must not end the process: libyaml would die of it, without a Python error."""

import pytest

from interlock.cloudformation.glance import MOST_LEVELS, is_nested_too_deeply, no_echo_parameters
from interlock.cloudformation.lint import lint, template_of

_ENDLESS = ["- " * 100_000, "[" * 100_000, '{"Resources":' * 70_000]


@pytest.mark.parametrize("text", _ENDLESS, ids=["block", "flow", "json"])
def test_a_template_that_nests_without_end_is_a_problem_of_the_request(text: str) -> None:
    assert lint(text, "us-east-1").errors == (f"template: nested more than {MOST_LEVELS} levels deep.",)
    assert no_echo_parameters(text) == frozenset()
    with pytest.raises(ValueError, match="deeply"):
        template_of(text)


def test_the_limit_is_exact_and_what_cannot_be_read_is_left_to_the_linter() -> None:
    assert not is_nested_too_deeply("[" * MOST_LEVELS + "]" * MOST_LEVELS)
    assert is_nested_too_deeply("[" * (MOST_LEVELS + 1))
    assert not is_nested_too_deeply("a: [b: }")
