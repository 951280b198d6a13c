"""Bad input for every command: one paragraph, a documented exit code, and nothing is touched."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlock.errors import ExitCode
from interlock.models.environment import is_environment_name
from tests.unit.fuzz.command_lines import Command, commands, good_but, lines
from tests.unit.fuzz.place import Place, place
from tests.unit.fuzz.words import hostile

_DOCUMENTED = {*map(int, ExitCode), 130}
_MOST_SECONDS = 5
"""Of processor time: imports are in it, and this machine has other work."""
_EACH = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def each_command() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", commands(), ids=lambda command: " ".join(command.words))


@each_command()
def test_every_command_line_has_an_answer_for_a_person_and_a_failed_one_changes_nothing(
    here: Place, command: Command
) -> None:
    @_EACH
    @given(lines(command))
    def check(arguments: list[str]) -> None:
        before, began = here.records(), time.process_time()
        answer = here.run(*arguments)
        assert answer.exit_code in _DOCUMENTED
        assert answer.is_fit_for_a_person() or "--help" in arguments or "-h" in arguments
        assert answer.exit_code == 0 or (here.records() or []) == (before or [])
        assert time.process_time() - began < _MOST_SECONDS

    check()


@pytest.mark.parametrize("metavar", ["ENV", "CORRELATION_ID"])
@each_command()
def test_a_name_that_none_can_have_is_an_invalid_request_and_makes_no_registry(
    here: Place, command: Command, metavar: str
) -> None:
    wrong = command.argument(metavar)
    if wrong is None or wrong.param_type_name != "argument":
        pytest.skip("It has no such argument.")

    @_EACH
    @given(hostile.filter(lambda word: not is_environment_name(word)))
    def check(name: str) -> None:
        here.forget()
        answer = here.run(*good_but(command, wrong, name))
        assert answer.exit_code in (ExitCode.INVALID_REQUEST, ExitCode.NO_PREFECT)
        assert answer.is_fit_for_a_person()
        assert here.records() is None

    check()


@each_command()
def test_an_option_that_there_is_not_is_an_invalid_request(here: Place, command: Command) -> None:
    answer = here.run(*command.words, "--no-such-option")
    assert answer.exit_code == ExitCode.INVALID_REQUEST
    assert "--no-such-option" in answer.err
    assert answer.is_fit_for_a_person()


@_EACH
@given(st.binary(max_size=200) | st.sampled_from([b"[" * 100_000, b"{" * 100_000, b"1" * 5000, b"- " * 50_000]))
def test_whatever_the_files_of_a_request_hold_is_answered(here: Place, content: bytes) -> None:
    for option in ("--template", "--parameters-file"):
        (here.home / "file").write_bytes(content)
        (here.home / "template.yaml").write_text("Resources: {}", encoding="utf-8")
        other = ["--template", str(here.home / "template.yaml")] if option != "--template" else ["--parameter", "A=b"]
        answer = here.run("deploy", "staging", *other, option, str(here.home / "file"))
        assert answer.exit_code in (ExitCode.INVALID_REQUEST, ExitCode.NO_PREFECT)
        assert answer.is_fit_for_a_person()
