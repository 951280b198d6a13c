"""What a request makes of a command: values in their places, and no option that a caller wrote."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.cloudformation import templates
from interlock.cloudformation.requests import CheckedRequest
from interlock.commands.filling import Filling
from interlock.commands.request import check_command_request
from interlock.errors import InvalidRequestError
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.secret_values.redactor import Redactor

COMMAND = ("sam", "deploy", "--s={stack_name}", "-t", "{template}", "--overrides", "{parameters}", "--tags", "{tags}")
TEMPLATE = (
    "Parameters: {Size: {Type: Number}}\nResources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref Size}}}"
)


def environment(*command: str, **more: Any) -> Environment:
    return Environment.model_validate(
        {"name": "staging", "stack_name": "app", "region": "us-east-1", "deployer": "command",
         "command": command or COMMAND, **more}
    )  # fmt: skip


def check(of: Environment, template: str = "", **more: Any) -> CheckedRequest:
    request = DeploymentRequest(environment="staging", template=template, **more)
    loaded = templates.load(template) if template else None
    return check_command_request(request, of, loaded, Mock(), redactor=Redactor())


def problems(of: Environment, template: str = "", **more: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        check(of, template, **more)
    return "\n".join(caught.value.problems)


def filled(of: Environment, checked: CheckedRequest, git_sha: str | None = None) -> list[str]:
    filling = Filling.of(checked, of, correlation_id="id-1", git_sha=git_sha, template=Path("/t/template.yaml"))
    return filling.arguments(checked.command)


def test_words_and_lists_take_their_places() -> None:
    of = environment(tags={"team": "a b"})
    checked = check(of, TEMPLATE, parameters={"Size": "3"}, tags={"x": "y=z"})
    assert filled(of, checked) == [
        "sam", "deploy", "--s=app", "-t", "/t/template.yaml", "--overrides", "Size=3", "--tags", "team=a b", "x=y=z",
    ]  # fmt: skip


def test_an_option_before_an_empty_list_is_left_out_with_it() -> None:
    of = environment("deploy", "--yes", "--tags", "{tags}", "--overrides", "{parameters}", "end")
    assert filled(of, check(of, parameters={"A": "b"})) == ["deploy", "--yes", "--overrides", "A=b", "end"]


def test_a_value_that_looks_like_a_placeholder_stays_what_it_is() -> None:
    of = environment("deploy", "{parameters}")
    assert filled(of, check(of, parameters={"A": "{region}; $(rm -rf /)"})) == ["deploy", "A={region}; $(rm -rf /)"]


@given(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()), st.text())
def test_no_caller_writes_an_option_or_an_address(
    parameters: dict[str, str], tags: dict[str, str], git_sha: str
) -> None:
    of = environment("deploy", "{parameters}", "{tags}", "{git_sha}")
    try:
        checked = check(of, parameters=parameters, tags=tags, git_sha=git_sha)
    except InvalidRequestError:
        return
    arguments = filled(of, checked, git_sha)[1:]
    assert len(arguments) == len(parameters) + len(tags) + 1
    assert all(argument[:1].isalnum() for argument in arguments)
    assert not [argument for argument in arguments if "\0" in argument or "://" in argument.partition("=")[0]]


@pytest.mark.parametrize(
    "request_",
    [
        {"parameters": {"--profile": "x"}},
        {"parameters": {"file://x": "y"}},
        {"parameters": {"A": "x\0y"}},
        {"tags": {"-x": "y"}},
        {"tags": {"http://evil.test/?x": "y"}},
        {"git_sha": "--force"},
        {"git_sha": "file:///etc/passwd"},
        {"git_sha": None},
    ],
)
def test_what_a_tool_would_read_as_something_else_is_refused(request_: dict[str, Any]) -> None:
    of = environment("deploy", "{parameters}", "{tags}", "{git_sha}")
    assert problems(of, **{"git_sha": "abc1234", **request_})


def test_what_the_command_would_not_use_is_refused_not_ignored() -> None:
    text = problems(environment("deploy", "{template}"), parameters={"A": "b"}, tags={"a": "b"}, git_sha="x")
    assert text.count("the environment's command takes none") == 2
    assert "template: it is empty" in text


def test_a_template_is_validated_as_always_and_its_problems_join_the_others() -> None:
    text = problems(environment(), TEMPLATE.replace("SNS::Topic", "SNS::Nothing"), tags={"-a": "b"})
    assert "AWS::SNS::Nothing" in text
    assert "Size: missing" in text
    assert "tags/-a" in text


def test_a_template_that_the_command_does_not_deploy_is_warned_of() -> None:
    checked = check(environment("deploy", "{parameters}"), TEMPLATE, parameters={"Size": "1"})
    assert any("is not what is deployed" in warning for warning in checked.warnings)


def test_a_secret_is_refused_since_arguments_can_be_read_by_others() -> None:
    secret = TEMPLATE.replace("Type: Number", "Type: String, NoEcho: true")
    assert "arguments" not in str(check(environment(), secret, parameters={"Size": "{{resolve:ssm-secure:/x}}"}))
    assert "would be an argument" in problems(environment(), secret, parameters={"Size": "secret:x"})
    assert "would be an argument" in problems(environment(parameters={"Size": "hunter2"}), secret)


@pytest.mark.parametrize(("command", "can"), [(("d", "{template}"), True), (("d", "{git_sha}"), True), (("d",), False)])
def test_a_rollback_needs_a_command_that_can_deploy_an_earlier_state(command: tuple[str, ...], *, can: bool) -> None:
    template = TEMPLATE.replace("Number", "Number, Default: 1")
    of, earlier = environment(*command), {"rollback_to": "20260301-120000-00000001", "git_sha": "abc"}
    if can:
        check(of, template, **earlier)
    else:
        assert "rollback_to" in problems(of, template, **earlier)
