"""The keys of a deployer in the environments file: what cannot work is said when the file is read, all of it at once."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.environments import load_environments
from interlock.errors import SettingsError
from interlock.models.deployer import LISTS, WORDS, Deployer, problems_of

BY_COMMAND = 'deployer = "command"\ncommand = ["sam", "deploy", "{parameters}"]\n'


def load(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "environments.toml"
    file.write_text(f'[environments.staging]\nstack_name = "app"\nregion = "us-east-1"\n{text}', encoding="utf-8")
    return load_environments(file)["staging"]


def wrong(tmp_path: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    return str(caught.value)


def test_without_the_key_a_change_set_deploys(tmp_path: Path) -> None:
    assert load(tmp_path, "").deployer is Deployer.CHANGE_SET


def test_a_command_is_a_list_of_arguments(tmp_path: Path) -> None:
    environment = load(tmp_path, BY_COMMAND + 'command_directory = "/srv/app"\ncommand_timeout_minutes = 30\n')
    assert environment.command == ("sam", "deploy", "{parameters}")
    assert (environment.command_directory, environment.command_timeout_minutes) == (Path("/srv/app"), 30)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('deployer = "command"\n', "environments.staging.command: "),
        ('command = ["sam"]\n', "has no meaning without"),
        ('deployer = "shell"\n', "environments.staging.deployer: "),
        ('command_directory = "/srv"\n', "environments.staging.command_directory: "),
        (BY_COMMAND + 'command_directory = "app"\n', "must be an absolute path"),
        (BY_COMMAND + "command_timeout_minutes = 0\n", "environments.staging.command_timeout_minutes: "),
        (BY_COMMAND + 'approval = "required"\n', "no change set that a person could approve"),
        (BY_COMMAND + 'service_role_arn = "arn:aws:iam::123456789012:role/x"\n', "gives CloudFormation no role"),
        (BY_COMMAND + 'tags = {team = "x"}\n', "{tags} is missing"),
        ('deployer = "command"\ncommand = "sam deploy"\n', "environments.staging.command: "),
        ('deployer = "command"\ncommand = ["{stack_name}"]\n', "the program itself must be named"),
        ('deployer = "command"\ncommand = ["sam", "${HOME}"]\n', "unknown placeholder {HOME}"),
        ('deployer = "command"\ncommand = ["sam", "--x={tags}"]\n', "it must be one of its own"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in wrong(tmp_path, text)


def test_every_problem_is_listed_with_all_the_others(tmp_path: Path) -> None:
    text = wrong(
        tmp_path,
        'approval = "required"\nmax_wait_minutes = 0\ndeployer = "command"\n'
        'command = ["sam", "{stack}", "{sha}"]\ncommand_directory = "app"\n',
    )
    for problem in ("max_wait_minutes", "{stack}", "{sha}", "absolute path", "approval"):
        assert problem in text, problem


@given(st.lists(st.sampled_from([*WORDS, *LISTS]), max_size=5))
def test_every_known_placeholder_may_be_an_argument(names: list[str]) -> None:
    assert not list(problems_of(["sam", *(f"{{{name}}}" for name in names)]))


@given(st.text())
def test_json_and_other_braces_are_no_placeholders(text: str) -> None:
    argument = '{"key": ' + text.replace("{", "") + "}"
    assert not [problem for problem in problems_of(["sam", argument]) if "placeholder" in problem]
