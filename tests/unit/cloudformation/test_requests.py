"""A request is right, or all that is wrong with it is said at once."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from cfnlint.decode.decode import decode_str

from interlock.cloudformation import templates
from interlock.cloudformation.lint import lint
from interlock.cloudformation.parameters import Declaration, declared_in, is_secret_parameter
from interlock.cloudformation.requests import CheckedRequest, check_request
from interlock.cloudformation.templates import S3Object, Template
from interlock.errors import CloudFormationRefusedError, CloudFormationUnavailableError, InvalidRequestError
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from tests.unit import recorded

ALL_CAPABILITIES = ("CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
TEMPLATE = """
Parameters:
  Size: {Type: Number, MinValue: 1, MaxValue: 9}
  Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  Name: {Type: String, Default: app, AllowedPattern: "[a-z]+", ConstraintDescription: small letters}
  DbPassword: {Type: String, NoEcho: true, MinLength: 8, Default: xxxxxxxxxx}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Sub "${Size}${Stage}${Name}${DbPassword}"}
"""
ROLE = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties: {%sAssumeRolePolicyDocument: {Version: "2012-10-17", Statement: []}}
"""
needs_templates = pytest.mark.skipif(not (recorded.DATA / "templates").is_dir(), reason="no templates on this machine")


def environment(**more: Any) -> Environment:
    return Environment(name="staging", stack_name="app", region="us-east-1", **more)


def check(
    template: str = TEMPLATE, *, of: Environment | None = None, gateway: Any = None, **more: Any
) -> CheckedRequest:
    request = DeploymentRequest(environment="staging", template=template, **more)
    return check_request(request, of or environment(), templates.load(template), gateway)


def problems(template: str = TEMPLATE, **more: Any) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        check(template, **more)
    return caught.value.problems


def test_the_request_is_joined_with_its_environment() -> None:
    of = environment(
        parameters={"Size": "1", "Stage": "prod", "OfAnotherTemplate": "x"},
        capabilities=["CAPABILITY_IAM"],
        tags={"team": "a", "cost": "1"},
    )
    checked = check(of=of, parameters={"Size": "2"}, capabilities=["CAPABILITY_AUTO_EXPAND"], tags={"team": "b"})
    assert checked.parameters == {"Size": "2", "Stage": "prod"}
    assert checked.capabilities == ("CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND")
    assert checked.tags == {"team": "b", "cost": "1"}


def test_all_problems_are_said_at_once() -> None:
    found = problems(
        TEMPLATE.replace("DisplayName", "Displayname"),
        parameters={"Stage": "test", "Unknown": "1"},
        capabilities=["CAPABILITY_X"],
        tags={"aws:x": "1"},
    )
    for start in (
        "Resources/Topic/Properties/Displayname: ",
        "parameters/Unknown: ",
        "parameters/Size: missing",
        "parameters/Stage: not one of the allowed values: dev, prod",
        "capabilities/CAPABILITY_X: unknown",
        "tags/aws:x: ",
    ):
        assert any(problem.startswith(start) for problem in found), start
    assert any("line 10" in problem for problem in found)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"Size": "ten"}, "parameters/Size: not a number."),
        ({"Size": "10"}, "parameters/Size: must be at most 9."),
        ({"Size": "0"}, "parameters/Size: must be at least 1."),
        (
            {"Size": "1", "Name": "App1"},
            "parameters/Name: does not match the allowed pattern `[a-z]+` (small letters).",
        ),
        (
            {"Size": "1", "DbPassword": "secret:"},
            "parameters/DbPassword: a reference must name a secret: `secret:<name>` or `secret:<source>:<name>`.",
        ),
        ({"Size": "1", "Name": "a" * 5000}, "parameters/Name: longer than 4,096 bytes."),
    ],
)
def test_a_parameter_is_held_to_what_the_template_says(parameters: dict[str, str], problem: str) -> None:
    assert problems(parameters=parameters) == [problem]


def test_a_secret_is_neither_in_a_problem_nor_in_what_is_shown() -> None:
    assert "hunter2" not in str(problems(parameters={"DbPassword": "hunter2", "UnknownToken": "hunter2"}))
    checked = check(of=environment(parameters={"DbPassword": "correct horse"}), parameters={"Size": "1"})
    assert checked.shown_parameters == {"Size": "1", "DbPassword": "****"}
    assert "correct horse" not in repr(checked)


def test_a_secret_written_into_the_template_is_not_quoted() -> None:
    body = """
Resources:
  Db:
    Type: AWS::RDS::DBInstance
    Properties: {DBInstanceClass: db.t3.micro, Engine: mysql, AllocatedStorage: 20, MasterUserPassword: [hunter2]}
"""
    found = problems(body)
    assert "MasterUserPassword" in str(found)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("name", ["DBPassword", "ApiKey", "api_key", "GithubToken", "ClientSecret", "PrivateKey"])
def test_names_that_look_secret(name: str) -> None:
    assert is_secret_parameter(name)
    assert is_secret_parameter("Harmless", {"NoEcho": "true"})
    assert not is_secret_parameter("Harmless", {"NoEcho": False})


@pytest.mark.parametrize(
    ("body", "named", "missing"),
    [
        (ROLE % "", (), "CAPABILITY_IAM"),
        (ROLE % "", ("CAPABILITY_IAM",), None),
        (ROLE % "", ("CAPABILITY_NAMED_IAM",), None),
        (ROLE % "RoleName: me, ", ("CAPABILITY_IAM",), "CAPABILITY_NAMED_IAM"),
        (ROLE % "RoleName: me, ", ("CAPABILITY_NAMED_IAM",), None),
        ("Transform: AWS::LanguageExtensions\n" + ROLE % "", ("CAPABILITY_IAM",), "CAPABILITY_AUTO_EXPAND"),
    ],
)
def test_what_a_template_needs_to_be_allowed_is_named(body: str, named: tuple[str, ...], missing: str | None) -> None:
    if missing is None:
        check(body, capabilities=named)
    else:
        assert [f"capabilities: {missing} is missing" in problem for problem in problems(body, capabilities=named)] == [
            True
        ]


@pytest.mark.parametrize(
    "tags",
    [
        {f"k{number}": "" for number in range(50)},
        {"": "x"},
        {"k" * 129: ""},
        {"k": "v" * 257},
        {"k": "<>"},
        {"AWS:a": ""},
    ],
)
def test_tags_that_aws_would_refuse(tags: dict[str, str]) -> None:
    assert len(problems(parameters={"Size": "1"}, tags=tags)) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Resources: [", "line"),
        ("just text:\n  - nothing", "Resources"),
        ("[1, 2]\n", "template"),
        ('{"Resources": {"A": {"Type": "AWS::SNS::Topic"}, "A": {"Type": "AWS::SNS::Topic"}}}', "A"),
        ("Resources:\n  A: {Type: AWS::SNS::Topic}\n  A: {Type: AWS::SNS::Topic}\n", "A"),
        ("Resources:\n  A: &a {Type: AWS::SNS::Topic}\n  B: *a\n", "aliases"),
        ("Resources:\n  A: " + "[" * 3000 + "]" * 3000, "template"),
        ("Resources:\n  A: {Type: AWS::SNS::Topik}\n", "AWS::SNS::Topik"),
    ],
)
def test_a_template_that_cannot_be_read_is_a_problem_with_its_place(body: str, words: str) -> None:
    assert words in " ".join(problems(body))


def test_a_template_too_long_for_a_call_must_come_from_s3() -> None:
    body = TEMPLATE + "# " + "x" * 51_200
    assert "s3://" in problems(body, parameters={"Size": "1"})[0]
    template = Template(body=body, url="https://b.s3.us-east-1.amazonaws.com/k")
    request = DeploymentRequest(environment="staging", template="s3://b/k", parameters={"Size": "1"})
    checked = check_request(request, environment(), template)
    assert checked.template.argument == {"TemplateURL": "https://b.s3.us-east-1.amazonaws.com/k"}


def test_cloudformation_has_its_say_too() -> None:
    gateway = Mock()
    gateway.validate_template.side_effect = CloudFormationRefusedError("Unresolved dependency", code="ValidationError")
    assert problems(gateway=gateway, parameters={"Size": "1"}) == ["template: Unresolved dependency (CloudFormation)."]
    gateway.validate_template.side_effect = CloudFormationUnavailableError("Rate exceeded")
    with pytest.raises(CloudFormationUnavailableError):
        check(gateway=gateway, parameters={"Size": "1"})


def test_facts_that_age_are_warnings() -> None:
    body = """
Resources:
  Server:
    Type: AWS::EC2::Instance
    Properties: {ImageId: ami-0123456789abcdef0, InstanceType: z9.huge}
"""
    assert any("z9.huge" in warning for warning in check(body).warnings)


def test_a_region_younger_than_cfn_lint_is_no_problem() -> None:
    assert lint("Resources:\n  A: {Type: AWS::SNS::Topic}\n", "xx-newland-7").errors == ()


@needs_templates
@pytest.mark.slow
def test_every_good_template_passes() -> None:
    paths = [path for path in sorted((recorded.DATA / "templates").rglob("*.yaml")) if "bad" not in path.parts]
    assert len(paths) > 10
    for path in paths:
        declared = declared_in(decode_str(path.read_text())[0])
        given = {name: _made_up(each) for name, each in declared.items() if "Default" not in each}
        found = _problems_of(path.read_text(), given)
        # Only what we made up may be wrong.
        assert {problem.split("/")[1].split(":")[0] for problem in found} <= set(given), (path.name, found)


@needs_templates
def test_every_bad_template_is_refused_with_the_place_of_each_problem() -> None:
    paths = [path for path in (recorded.DATA / "templates").rglob("*.yaml") if "bad" in path.parts]
    for path in paths:
        errors = lint(path.read_text(), "us-east-1").errors
        assert errors, path.name
        assert all("line" in error for error in errors)


def _made_up(declaration: Declaration) -> str:
    return "1" if declaration.get("Type") == "Number" else str((declaration.get("AllowedValues") or ["abc"])[0])


def _problems_of(body: str, given: dict[str, str]) -> list[str]:
    request = DeploymentRequest(environment="staging", template=body, parameters=given, capabilities=ALL_CAPABILITIES)
    try:
        check_request(request, environment(), Template(body=body, url="https://x"))
    except InvalidRequestError as error:
        return error.problems
    return []


# --- where a template comes from -------------------------------------------------------------------------------------


def test_only_files_below_the_directory_are_read(tmp_path: Path) -> None:
    directory, outside = tmp_path / "templates", tmp_path / "secret.yaml"
    directory.mkdir()
    outside.write_text("secret: 1")
    (directory / "app.yaml").write_text(TEMPLATE)
    (directory / "link.yaml").symlink_to(outside)
    assert templates.load("app.yaml", templates_directory=directory).body == TEMPLATE
    assert templates.load(str(directory / "app.yaml"), templates_directory=directory).body == TEMPLATE
    for name in ("../secret.yaml", "link.yaml", str(outside), "/etc/passwd", "missing.yaml", "."):
        with pytest.raises(InvalidRequestError) as caught:
            templates.load(name, templates_directory=directory)
        assert "secret: 1" not in str(caught.value)
    with pytest.raises(InvalidRequestError):
        templates.load("app.yaml")


@pytest.mark.parametrize(
    "address",
    [
        "http://good.example/t.yaml",
        "https://evil.example/t.yaml",
        "https://good.example:8443/t.yaml",
        "https://user@good.example/t.yaml",
        "https://good.example.evil.example/t.yaml",
        "https://127.0.0.1/t.yaml",
        "s3://bucket",
        "s3:///key",
        "file:///etc/passwd",
        "   ",
        "",
    ],
)
def test_other_sources_are_refused_without_being_asked(address: str) -> None:
    with pytest.raises(InvalidRequestError):
        check(templates.load(address, allowed_hosts=["good.example"], s3_reader=Mock(side_effect=AssertionError)).body)


def test_an_object_of_s3_comes_with_its_address() -> None:
    reader = Mock(return_value=S3Object(body=TEMPLATE.encode(), url="https://bucket/of/that/version"))
    template = templates.load("s3://bucket/some/key.yaml", s3_reader=reader)
    reader.assert_called_once_with("bucket", "some/key.yaml", 1_000_000)
    assert template.body == TEMPLATE
    assert template.argument == {"TemplateBody": TEMPLATE}  # what was checked is what is deployed
    assert (
        templates.s3_address("eu-west-1", "b", "a b", "v1") == "https://b.s3.eu-west-1.amazonaws.com/a%20b?versionId=v1"
    )


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"x" * 1_000_001])
def test_what_is_no_template_text_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        templates.load("s3://b/k", s3_reader=Mock(return_value=S3Object(body=body, url="https://x")))
