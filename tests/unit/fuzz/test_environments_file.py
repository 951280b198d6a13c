"""Bad input for every key of the environments file: every problem at once, each with its path, and nothing is touched."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from interlock.errors import ExitCode
from interlock.models.environment import Environment
from tests.unit.fuzz import toml
from tests.unit.fuzz.place import Answer, Place, place
from tests.unit.fuzz.words import hostile

_EACH = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    database=None,
)
_GOOD = {"stack_name": "app", "region": "us-east-1"}
_SCHEMA = Environment.model_json_schema()
KEYS = sorted(set(Environment.model_fields) - {"name"})
"""All there are: a new one is fuzzed without being named. The name is the table's."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def ask(here: Place, file: str | bytes) -> Answer:
    here.forget()
    here.environments.write_bytes(file if isinstance(file, bytes) else file.encode(errors="surrogateescape"))
    return here.run("locks", "staging")


def table(values: dict[str, str]) -> str:
    good = {key: toml.text(value) for key, value in _GOOD.items()}
    return "\n".join(["[environments.staging]", *(f"{key} = {value}" for key, value in {**good, **values}.items())])


def wrong(key: str) -> st.SearchStrategy[Any]:
    """What the key's own schema refuses."""
    schema = Draft202012Validator({**_SCHEMA["properties"][key], "$defs": _SCHEMA["$defs"]})
    return st.one_of(toml.numbers, st.booleans(), hostile, toml.values).filter(lambda value: not schema.is_valid(value))


@pytest.mark.parametrize("key", KEYS)
def test_a_wrong_value_is_told_with_its_path(here: Place, key: str) -> None:
    @_EACH
    @given(wrong(key).map(toml.text) | st.sampled_from(["1979-05-27", "07:32:00"]))
    def check(value: str) -> None:
        answer = ask(here, table({key: value}))
        assert answer.exit_code == ExitCode.INVALID_REQUEST
        assert f"environments.staging.{key}" in answer.err
        assert answer.is_fit_for_a_person()
        assert here.records() is None

    check()


@_EACH
@given(st.fixed_dictionaries({key: wrong(key).map(toml.text) for key in KEYS}))
def test_all_that_is_wrong_is_told_at_once(here: Place, values: dict[str, str]) -> None:
    answer = ask(here, table(values))
    assert answer.exit_code == ExitCode.INVALID_REQUEST
    assert [key for key in KEYS if f"environments.staging.{key}" not in answer.err] == []
    assert answer.is_fit_for_a_person()


@_EACH
@given(st.dictionaries(st.sampled_from(KEYS) | hostile.map(toml.text), toml.texts, max_size=4), hostile)
def test_whatever_stands_in_the_file_is_answered(here: Place, values: dict[str, str], name: str) -> None:
    answer = ask(here, f"{table(values)}\n[environments.{toml.text(name)}]\nregion = 1")
    assert answer.exit_code == ExitCode.INVALID_REQUEST
    assert answer.is_fit_for_a_person()
    assert here.records() is None


@_EACH
@given(toml.values)
def test_whatever_the_environments_are_is_answered(here: Place, value: object) -> None:
    answer = ask(here, f"environments = {toml.text(value)}")
    assert answer.exit_code == ExitCode.INVALID_REQUEST
    assert answer.is_fit_for_a_person()


@_EACH
@given(st.binary(max_size=200) | st.sampled_from([b"", b"\xff\xfe", b"x = " + b"[" * 100_000, b"x = " + b"9" * 5000]))
def test_whatever_bytes_the_file_holds_are_answered(here: Place, content: bytes) -> None:
    answer = ask(here, content)
    assert answer.exit_code == ExitCode.INVALID_REQUEST
    assert answer.is_fit_for_a_person()
