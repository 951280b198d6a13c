"""A custom resource is explained by who answers for it."""

import json
from typing import Any

import pytest

from tests.unit.diagnosis.kit import STACK_ID, FakeAws, suspect

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:app-Seed-abc"
SEED = suspect("Custom::Seed", None, logical_id="Seed")


def event(number: int, logical_id: str, properties: str | None = None) -> dict[str, Any]:
    made = {
        "StackId": STACK_ID,
        "EventId": str(number),
        "StackName": "app",
        "LogicalResourceId": logical_id,
        "Timestamp": 0,
    }
    return made | ({"ResourceProperties": properties} if properties else {})


def aws_with(*pages: list[dict[str, Any]]) -> FakeAws:
    aws = FakeAws()
    for number, page in enumerate(pages):
        more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
        expected = {"StackName": STACK_ID} | ({"NextToken": str(number)} if number else {})
        aws.stub("cloudformation").add_response("describe_stack_events", {"StackEvents": page, **more}, expected)
    return aws


def properties(token: str) -> str:
    return json.dumps({"ServiceToken": token, "Password": "hunter2"})


@pytest.mark.parametrize("resource_type", ["Custom::Seed", "AWS::CloudFormation::CustomResource"])
def test_the_functions_log_is_linked(resource_type: str) -> None:
    events = [event(2, "Seed"), event(1, "Seed", properties(FUNCTION))]
    who = suspect(resource_type, None, logical_id="Seed")
    lines, links = aws_with(events).lines(who), aws_with(events).links(who)
    assert lines == [
        "Seed is answered for by the function app-Seed-abc: see its log (/aws/lambda/app-Seed-abc by default)."
    ]
    assert links == [
        (
            "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
            "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapp-Seed-abc"
        )
    ]


def test_of_the_properties_nothing_but_the_token_is_told() -> None:
    assert "hunter2" not in str(aws_with([event(1, "Seed", properties(FUNCTION))]).lines(SEED))


def test_the_token_is_looked_for_on_later_pages_but_not_for_ever() -> None:
    other = [event(1, "Other", properties("arn:aws:lambda:eu-west-1:1:function:other"))]
    assert "app-Seed-abc" in aws_with(other, [event(1, "Seed", properties(FUNCTION))]).lines(SEED)[0]
    aws = aws_with(other, other, other, other)
    assert "do not name its service token" in aws.lines(SEED)[0]
    with pytest.raises(AssertionError, match="1 responses"):
        aws.assert_all_asked()


def test_a_topic_is_named_instead_of_a_function() -> None:
    topic = "arn:aws:sns:eu-west-1:123456789012:seeds"
    lines = aws_with([event(1, "Seed", properties(topic))]).lines(SEED)
    assert lines == [f"Seed is answered for by whoever listens to {topic}: look at its subscribers."]


@pytest.mark.parametrize("broken", ['{"ServiceToken": "arn:aws', "[]", '{"ServiceToken": 7}'])
def test_properties_that_cannot_be_read_are_no_error(broken: str) -> None:
    assert "do not name its service token" in aws_with([event(1, "Seed", broken)]).lines(SEED)[0]


def test_a_function_in_china_is_linked_to_its_own_console() -> None:
    token = "arn:aws-cn:lambda:cn-north-1:123456789012:function:seed:live"
    link = aws_with([event(1, "Seed", properties(token))]).links(SEED)[0]
    assert link == (
        "https://console.amazonaws.cn/cloudwatch/home?region=cn-north-1"
        "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fseed"
    )
