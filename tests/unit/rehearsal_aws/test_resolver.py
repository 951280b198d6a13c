import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.rehearsal.aws.cloudformation.resolver import Resolver
from interlock.rehearsal.aws.cloudformation.state import Blueprint, Place

PLACE = Place("000000000000", "eu-west-1", "shop", "arn:aws:cloudformation:eu-west-1:000000000000:stack/shop/1")
MADE_UP = "made up"


class Lookup:
    """Knows one resource, `Known`, and nothing else."""

    def reference(self, logical_id: str) -> Any:
        return {"Known": "known-id"}[logical_id]

    def attribute(self, logical_id: str, name: str) -> Any:
        return f"{self.reference(logical_id)}.{name}"

    def imported(self, export: str) -> Any:
        return f"imported {export}"

    def stored(self, name: str) -> str:
        return f"stored {name}"

    def unresolvable(self, node: dict[str, Any], error: Exception) -> Any:  # noqa: ARG002 - the resolver's contract
        return MADE_UP


def resolver(**template: Any) -> Resolver:
    specs = {"Name": {"Type": "String"}, "List": {"Type": "CommaDelimitedList"}}
    template = {"Parameters": specs, "Mappings": {"M": {"eu-west-1": {"size": 3}}}, **template}
    return Resolver(Blueprint(template=template, parameters={"Name": "ann", "List": "a, b"}), PLACE, Lookup())


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"Ref": "Name"}, "ann"),
        ({"Ref": "List"}, ["a", "b"]),
        ({"Ref": "Known"}, "known-id"),
        ({"Ref": "AWS::Region"}, "eu-west-1"),
        ({"Fn::GetAtt": ["Known", "Arn"]}, "known-id.Arn"),
        ({"Fn::GetAtt": "Known.A.B"}, "known-id.A.B"),
        ({"Fn::Sub": "${Name} ${Known.Arn} ${!Name} ${AWS::StackName}"}, "ann known-id.Arn ${Name} shop"),
        ({"Fn::Sub": ["${Own}-${Name}", {"Own": {"Ref": "Known"}}]}, "known-id-ann"),
        ({"Fn::Join": ["-", ["a", {"Ref": "List"}, 1]]}, "a-a,b-1"),
        ({"Fn::Select": ["1", {"Fn::Split": ["|", "x|y"]}]}, "y"),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "size"]}, 3),
        ({"Fn::FindInMap": ["M", "mars", "size", {"DefaultValue": 0}]}, 0),
        ({"Fn::GetAZs": ""}, [f"eu-west-1{letter}" for letter in "abcdef"]),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::ImportValue": {"Fn::Sub": "${Name}-x"}}, "imported ann-x"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::ToJsonString": {"a": {"Ref": "Name"}}}, '{"a": "ann"}'),
        ("{{resolve:ssm:/a/b:1}}", "stored /a/b"),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [{"Ref": "AWS::NoValue"}, 1]}, {"b": [1]}),
        ({"Ref": "Nobody"}, MADE_UP),
        ({"Fn::Select": [9, ["a"]]}, MADE_UP),
        ({"Fn::If": ["Nowhere", 1, 2]}, MADE_UP),
    ],
)
def test_functions_have_their_values(node: Any, value: Any) -> None:
    assert resolver().resolve(node) == value


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"Fn::Equals": [{"Ref": "Name"}, "ann"]}, True),
        ({"Fn::Not": [{"Condition": "Other"}]}, False),
        ({"Fn::And": [{"Condition": "Other"}, {"Fn::Equals": [1, "1"]}]}, True),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Condition": "Other"}]}, True),
        ({"Condition": "Itself"}, False),
    ],
)
def test_conditions_have_their_verdicts(condition: Any, verdict: bool) -> None:
    conditions = {"Other": {"Fn::Equals": ["x", "x"]}, "Itself": condition}
    assert resolver(Conditions=conditions).condition("Itself") is verdict


def test_a_resource_whose_condition_fails_is_not_wanted() -> None:
    resources = {name: {"Type": "T", "Condition": name} for name in ("Yes", "No")}
    conditions = {"Yes": {"Fn::Equals": [1, 1]}, "No": {"Fn::Equals": [1, 2]}}
    assert list(resolver(Conditions=conditions, Resources=resources).resources()) == ["Yes"]


def test_a_secret_reference_is_never_shown_as_it_stands() -> None:
    value = resolver().resolve("{{resolve:secretsmanager:db:SecretString:password}}")
    assert "resolve" not in value
    assert "password" not in value


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["Name", "Known", "${Name}", "M"])
)
FUNCTIONS = [
    "Ref", "Condition", "Fn::And", "Fn::Base64", "Fn::Cidr", "Fn::Equals", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt",
    "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Not", "Fn::Or", "Fn::Select", "Fn::Split", "Fn::Sub",
]  # fmt: skip
NODES = st.recursive(
    LEAVES,
    lambda below: (
        st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(FUNCTIONS), below, min_size=1, max_size=1)
    ),
)


@given(NODES)
def test_nothing_in_a_template_makes_it_fail(node: Any) -> None:
    json.dumps(resolver().resolve(node))
