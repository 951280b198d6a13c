"""What the simulated CloudFormation refuses, and in which words."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import Driver, topics

NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    with RehearsalAws(seconds=0.02, rollback_seconds=0.02, change_set_seconds=0.2) as running:
        driver = Driver(running)
        driver.deploy("warm-up", topics("Topic"))  # loads MiniStack's provisioners, which takes longer than 0.2 s
        yield driver


@pytest.fixture
def stack() -> str:
    return f"stack-{uuid.uuid4().hex[:8]}"


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def parameterised(**spec: Any) -> dict[str, Any]:
    return {**topics("Topic"), "Parameters": {"P": {"Type": "String", **spec}}}


def test_a_change_set_is_made_after_the_answer(driver: Driver, stack: str) -> None:
    made = driver.cloudformation.create_change_set(
        StackName=stack, ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=json.dumps(topics("Topic"))
    )
    with pytest.raises(ClientError) as error:
        driver.cloudformation.execute_change_set(ChangeSetName=made["Id"])
    text = f"ChangeSet [{made['Id']}] cannot be executed in its current status of [CREATE_IN_PROGRESS]"
    assert refusal(error) == ("InvalidChangeSetStatus", text)


def test_a_change_set_without_changes_fails(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Topic"))
    made = driver.change_set(stack, topics("Topic"), "UPDATE", "second")
    assert (made["Status"], made["ExecutionStatus"], made["StatusReason"]) == ("FAILED", "UNAVAILABLE", NO_CHANGES)


def test_a_change_set_is_executed_once(driver: Driver, stack: str) -> None:
    driver.deploy(stack, topics("Topic"))
    with pytest.raises(ClientError) as error:
        driver.cloudformation.execute_change_set(ChangeSetName="change", StackName=stack)
    assert refusal(error)[0] == "InvalidChangeSetStatus"
    assert len([one for one in driver.aws.operations() if one["stack"] == stack]) == 1


def test_no_change_set_while_an_operation_runs(driver: Driver, stack: str) -> None:
    driver.aws.set_rules([{"match": f"{stack}/*", "Stall": True}])
    stack_id = driver.start(stack, topics("Topic"))["StackId"]
    with pytest.raises(ClientError) as error:
        driver.change_set(stack, topics("Topic"), "UPDATE", "second")
    driver.aws.set_rules([])
    text = f"Stack:{stack_id} is in CREATE_IN_PROGRESS state and can not be updated."
    assert refusal(error) == ("ValidationError", text)


def test_no_update_of_a_stack_that_never_came_to_be(driver: Driver, stack: str) -> None:
    template = topics("Topic")
    template["Resources"]["Topic"]["Metadata"] = {"Rehearsal": {"Fail": "no"}}
    driver.deploy(stack, template)
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        driver.change_set(stack, topics("Topic"), "UPDATE", "second")


@pytest.mark.parametrize(
    ("resource", "capability"),
    [
        ({"Type": "AWS::IAM::Role", "Properties": {}}, "CAPABILITY_IAM"),
        ({"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}, "CAPABILITY_NAMED_IAM"),
        ({"Type": "AWS::Serverless::Application", "Properties": {}}, "CAPABILITY_AUTO_EXPAND"),
    ],
)
def test_capabilities_must_be_acknowledged(driver: Driver, stack: str, resource: Any, capability: str) -> None:
    with pytest.raises(ClientError) as error:
        driver.change_set(stack, {"Resources": {"R": resource}}, Capabilities=[])
    assert refusal(error) == ("InsufficientCapabilitiesException", f"Requires capabilities : [{capability}]")


@pytest.mark.parametrize(
    ("spec", "given", "message"),
    [
        ({}, {}, "Parameters: [P] must have values"),
        ({"Default": "x"}, {"Q": "1"}, "Parameters: [Q] do not exist in the template"),
        ({"AllowedValues": ["a"]}, {"P": "b"}, "Parameter 'P' must be one of AllowedValues"),
        ({"AllowedPattern": "[a-z]+"}, {"P": "B"}, "Parameter 'P' must match pattern [a-z]+"),
        (
            {"AllowedPattern": "a", "ConstraintDescription": "be a"},
            {"P": "b"},
            "Parameter P failed to satisfy constraint: be a",
        ),
        ({"MinLength": 3}, {"P": "b"}, "Parameter 'P' must contain at least 3 characters"),
        ({"Type": "Number", "MaxValue": 3}, {"P": "4"}, "Parameter 'P' must be a number not greater than 3"),
    ],
)
def test_parameters_are_checked(driver: Driver, stack: str, spec: Any, given: dict[str, str], message: str) -> None:
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    with pytest.raises(ClientError) as error:
        driver.change_set(stack, parameterised(**spec), Parameters=parameters)
    assert refusal(error) == ("ValidationError", message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("just text", "Template format error: unsupported structure."),
        ("Resources: {", "Template format error: YAML not well-formed. (line 1, column 13)"),
        ("{}", "Template format error: At least one Resources member must be defined."),
        (
            json.dumps({"Resources": {"R": {}}}),
            "Template format error: [/Resources/R] Every Resources object must contain a Type member.",
        ),
        (
            json.dumps({**topics("Topic", Topic={"TopicName": {"Ref": "Nobody"}})}),
            "Template format error: Unresolved resource dependencies [Nobody] in the Resources block of the template",
        ),
        (
            json.dumps(topics("A", "B", A={"X": {"Ref": "B"}}, B={"X": {"Ref": "A"}})),
            "Circular dependency between resources: [A, B]",
        ),
        (
            json.dumps({"Resources": {"R": None}}),
            "Template format error: [/Resources/R] Every Resources member must be an object.",
        ),
        (
            json.dumps({"Resources": {"R": {"Type": "T", "Condition": "Nowhere"}}}),
            "Template format error: Unresolved condition dependency Nowhere in the Resources block of the template",
        ),
        (json.dumps({**topics("T"), "Foo": 1}), "Invalid template property or properties [Foo]"),
    ],
)
def test_templates_are_checked(driver: Driver, body: str, message: str) -> None:
    with pytest.raises(ClientError) as error:
        driver.cloudformation.validate_template(TemplateBody=body)
    assert refusal(error) == ("ValidationError", message)


def test_validation_tells_what_a_template_needs(driver: Driver) -> None:
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Parameters": {"P": {"Type": "String", "Default": 1, "NoEcho": True}},
        "Resources": {"R": {"Type": "AWS::IAM::Role"}},
    }
    answer = driver.cloudformation.validate_template(TemplateBody=json.dumps(template))
    assert answer["Capabilities"] == ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert answer["DeclaredTransforms"] == ["AWS::Serverless-2016-10-31"]
    assert answer["Parameters"] == [{"ParameterKey": "P", "DefaultValue": "1", "NoEcho": True}]


def test_a_no_echo_value_never_comes_back(driver: Driver, stack: str) -> None:
    secret = "correct horse battery"
    given = [{"ParameterKey": "P", "ParameterValue": secret}]
    made = driver.start(stack, parameterised(NoEcho=True), Parameters=given)
    driver.finish(stack)
    assert driver.stack(stack)["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "****"}]
    assert secret not in json.dumps([made, driver.raw_events(stack), driver.aws.log()], default=str)


def test_a_deleted_stack_is_known_by_its_id_only(driver: Driver, stack: str) -> None:
    stack_id = driver.start(stack, topics("Topic"))["StackId"]
    driver.finish(stack)
    driver.cloudformation.delete_stack(StackName=stack)
    assert driver.finish(stack_id) == "DELETE_COMPLETE"
    with pytest.raises(ClientError) as error:
        driver.stack(stack)
    assert refusal(error) == ("ValidationError", f"Stack with id {stack} does not exist")
