"""Bad input for every setting: an answer for a person, and nothing is touched outside the home."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AliasChoices

from interlock.errors import ExitCode
from interlock.settings import Settings
from tests.unit.fuzz.place import Place, place
from tests.unit.fuzz.words import hostile

_EACH = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
VARIABLES = [
    str(field.validation_alias.choices[0])
    for field in Settings.model_fields.values()
    if isinstance(field.validation_alias, AliasChoices)
]
_COMMANDS = (("history", "staging"), ("locks", "staging"), ("deploy", "staging", "--template", "-"))
_REGISTRIES = (
    "sqlite://",
    "sqlite:///",
    "sqlite:////dev/null/x",
    "sqlite:///x?mode=memory",
    "sqlite://host/x",
    "dynamodb://t?region=",
    "dynamodb://table",
    "dynamodb://table?region=http://127.0.0.1:9/",
    "dynamodb://table?region=" + "x" * 300,
    "dynamodb://[::1?region=r",
    "http://table",
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


@pytest.mark.parametrize("variable", [*VARIABLES, "PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_API_KEY"])
def test_whatever_a_variable_holds_is_answered(here: Place, variable: str) -> None:
    @_EACH
    @given(hostile | st.sampled_from(_REGISTRIES), st.sampled_from(_COMMANDS))
    def check(value: str, command: tuple[str, ...]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(variable, value)
            answer = here.run(*command)
        assert answer.exit_code in (0, ExitCode.FAILED, ExitCode.INVALID_REQUEST, ExitCode.NO_PREFECT)
        assert answer.is_fit_for_a_person()

    check()


@_EACH
@given(hostile.filter(lambda value: value not in ("", "json", "text")))
def test_a_choice_that_there_is_not_is_named_with_its_variable(here: Place, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INTERLOCK_LOG_FORMAT", value)
        answer = here.run("history", "staging")
    assert answer.exit_code == ExitCode.INVALID_REQUEST
    assert "INTERLOCK_LOG_FORMAT" in answer.err
