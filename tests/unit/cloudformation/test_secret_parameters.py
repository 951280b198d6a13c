"""A plain value of a `NoEcho` parameter is refused with the way out, and nothing that is told quotes a secret."""

from typing import Any
from unittest.mock import Mock

import pytest

from interlock.cloudformation import templates
from interlock.cloudformation.glance import no_echo_parameters
from interlock.cloudformation.requests import CheckedRequest, check_request
from interlock.errors import CloudFormationRefusedError, InvalidRequestError
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.secret_values.redactor import Redactor

TEMPLATE = """
Parameters:
  Password: {Type: String, NoEcho: true, Default: a-default-secret, AllowedValues: [a-default-secret, other-secret]}
  ApiToken: {Type: String, Default: ""}
  Passwords: {Type: CommaDelimitedList, NoEcho: "true", Default: "first-secret,second-secret"}
  SecretName: {Type: "AWS::SSM::Parameter::Value<String>", Default: /app/name}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "${Password}${ApiToken}${SecretName}", TopicName: !Select [0, !Ref Passwords]}
"""


def check(redactor: Redactor | None = None, gateway: Any = None, of: Any = None, **parameters: Any) -> CheckedRequest:
    environment = Environment(name="staging", stack_name="app", region="us-east-1", parameters=of or {})
    request = DeploymentRequest(environment="staging", template=TEMPLATE, parameters=parameters)
    return check_request(request, environment, templates.load(TEMPLATE), gateway, redactor=redactor)


def problems(**parameters: Any) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        check(**parameters)
    assert caught.value.exit_code == 5
    return caught.value.problems


def test_a_plain_value_is_refused_with_the_way_out_and_not_quoted() -> None:
    (problem,) = problems(Passwords="hunter2hunter2")
    assert problem.startswith("parameters/Passwords: ")
    for word in ("{{resolve:secretsmanager:", "secret:<name>", "rotate"):
        assert word in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    "value", ["x{{resolve:ssm:/a}}", "{{resolve:ssm:/a}}x", "{{resolve:other:/a}}", "{{resolve:ssm:}}"]
)
def test_what_only_looks_like_a_reference_is_a_plain_value(value: str) -> None:
    assert "NoEcho" in problems(Passwords=value)[0]


@pytest.mark.parametrize(
    "value", ["{{resolve:secretsmanager:app:SecretString:password}}", "{{resolve:ssm-secure:/app/pw:3}}"]
)
def test_a_reference_that_aws_resolves_is_passed_on_untouched(value: str) -> None:
    assert check(Passwords=value).parameters["Passwords"] == value


def test_a_reference_that_we_read_is_passed_on_as_it_is_until_its_turn() -> None:
    assert check(Password="secret:app#password").parameters["Password"] == "secret:app#password"


def test_a_reference_that_names_nothing_is_a_problem() -> None:
    assert "secret:<name>" in problems(Password="secret:ssm:")[0]


def test_a_plain_value_of_the_environments_file_is_a_warning() -> None:
    redactor = Redactor()
    checked = check(redactor, of={"Passwords": "of-the-file-1,of-the-file-2"})
    assert any("Passwords" in warning and "environments file" in warning for warning in checked.warnings)
    assert redactor.redact("of-the-file-1 and of-the-file-2") == "**** and ****"


def test_the_name_of_a_stored_parameter_is_no_secret() -> None:
    redactor = Redactor()
    assert check(redactor, SecretName="/app/other").has_secrets
    assert redactor.redact("/app/other /app/name") == "/app/other /app/name"


def test_defaults_and_values_that_look_secret_are_known_before_cloudformation_is_asked() -> None:
    redactor = Redactor()
    told = "a-default-secret first-secret second-secret a-token-by-name"
    gateway = Mock()
    gateway.validate_template.side_effect = CloudFormationRefusedError(told, code="ValidationError")
    with pytest.raises(InvalidRequestError) as caught:
        check(redactor, gateway, ApiToken="a-token-by-name")
    assert caught.value.problems == ["template: **** **** **** **** (CloudFormation)."]


def test_the_choices_of_a_secret_are_not_listed() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check(of={"Password": "neither-of-them"})
    assert caught.value.problems == ["parameters/Password: not one of the allowed values."]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Parameters: {A: {NoEcho: true}, B: {NoEcho: 'true'}, C: {NoEcho: false}, D: {}}", {"A", "B"}),
        ('{"Parameters": {"A": {"NoEcho": true},\t"B": {"NoEcho": "True"}}}', {"A", "B"}),
        ("Parameters: {A: {NoEcho: yes}}\nResources: {R: !Sub '${A}'}", {"A"}),
        ("Parameters: {A: {NoEcho: true, Type: 'AWS::SSM::Parameter::Value<String>'}}", set()),
        ("Parameters: [A]", set()),
        ("Resources: {}", set()),
        ("not: [a template", set()),
        ("just text", set()),
        ("", set()),
        ("- " * 5000, set()),
    ],
)
def test_a_glance_tells_which_parameters_are_no_echo(text: str, names: set[str]) -> None:
    assert no_echo_parameters(text) == names
