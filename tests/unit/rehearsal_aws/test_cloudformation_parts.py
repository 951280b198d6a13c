"""Dependencies, stand-ins, the wire, the order of work: the parts of the simulated CloudFormation that need no server."""

import asyncio
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.rehearsal.aws.cloudformation import standins, wire
from interlock.rehearsal.aws.cloudformation.dependencies import Graph, graph_of, reversed_graph
from interlock.rehearsal.aws.cloudformation.errors import RefusalError
from interlock.rehearsal.aws.cloudformation.operation import walk
from interlock.rehearsal.aws.cloudformation.state import Place, Resource
from interlock.rehearsal.aws.cloudformation.templates import parse

PLACE = Place("000000000000", "us-east-1", "shop", "arn:aws:cloudformation:us-east-1:000000000000:stack/shop/1")


def test_dependencies_are_found_in_every_kind_of_reference() -> None:
    body = """
    Resources:
      A: {Type: T, DependsOn: B, Properties: {X: !Ref C, Y: [!GetAtt D.Arn, !Sub '${E} ${F.Arn} ${!G} ${AWS::Region}']}}
      B: {Type: T}
      C: {Type: T}
      D: {Type: T}
      E: {Type: T}
      F: {Type: T}
      G: {Type: T}
    """
    assert graph_of(parse(body)["Resources"])["A"] == {"B", "C", "D", "E", "F"}


def test_dates_and_short_forms_are_read_as_cloudformation_reads_them() -> None:
    template = parse(
        "{Resources: {R: {Type: T, Properties: {V: 2012-10-17, A: !GetAtt [X, !Ref Y], B: !GetAtt X.Y.Z}}}}"
    )
    assert template["Resources"]["R"]["Properties"] == {
        "V": "2012-10-17",
        "A": {"Fn::GetAtt": ["X", {"Ref": "Y"}]},
        "B": {"Fn::GetAtt": ["X", "Y.Z"]},
    }


@given(st.dictionaries(st.integers(0, 9), st.sets(st.integers(0, 9)), max_size=10))
def test_work_is_done_after_what_it_needs_and_in_reverse_for_deletions(edges: dict[int, set[int]]) -> None:
    graph: Graph = {
        str(node): {str(other) for other in edges[node] if other < node and other in edges} for node in edges
    }
    for order in (graph, reversed_graph(graph)):
        done: list[str] = []

        async def work(name: str, done: list[str] = done) -> None:
            done.append(name)

        asyncio.run(walk(order, work))
        assert sorted(done) == sorted(order)
        assert all(done.index(needed) < done.index(name) for name in order for needed in order[name])


def test_a_failure_stops_the_rest() -> None:
    async def work(name: str) -> None:
        if name == "bad":
            raise ValueError(name)
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as error:
        asyncio.run(walk({"bad": set(), "endless": set(), "after": {"bad"}}, work))
    assert error.group_contains(ValueError, match="bad")


@pytest.mark.parametrize(
    ("resource_type", "pattern"),
    [
        ("AWS::EC2::VPC", r"^vpc-[0-9a-f]{17}$"),
        ("AWS::EC2::EIP", r"^\d+\.\d+\.\d+\.\d+$"),
        ("AWS::EKS::Cluster", r"^shop-Thing-[0-9A-F]{12}$"),
        ("AWS::StepFunctions::StateMachine", r"^arn:aws:states:us-east-1:000000000000:statemachine/"),
        ("Custom::Thing", r"^shop-Thing-"),
        ("AWS::Brand::New", r"^shop-Thing-"),
    ],
)
def test_a_stand_in_is_called_as_its_type_is(resource_type: str, pattern: str) -> None:
    made = standins.physical_id(PLACE, resource_type, "Thing", {})
    assert made == standins.physical_id(PLACE, resource_type, "Thing", {})
    assert re.match(pattern, made)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("Arn", r"^arn:aws:"),
        ("RoleArn", r"^arn:aws:"),
        ("Endpoint.Port", r"^\d+$"),
        ("Endpoint.Address", r"^shop-thing\..*\.example\.com$"),
        ("VpcId", r"^vpc-"),
        ("PublicIp", r"^\d+\.\d+\.\d+\.\d+$"),
        ("Whatever", r"^shop-"),
    ],
)
def test_an_attribute_has_the_shape_its_name_suggests(name: str, pattern: str) -> None:
    resource = Resource("Thing", "Custom::Thing", physical_id="thing-1")
    assert re.match(pattern, standins.attribute(PLACE, resource, name))


def test_form_fields_become_lists_and_objects() -> None:
    body = (
        b"Action=X&Parameters.member.2.ParameterKey=b&Parameters.member.1.ParameterKey=a&Tags=&Capabilities.member.1=C"
    )
    assert wire.parse_form(body) == {
        "Action": "X",
        "Parameters": [{"ParameterKey": "a"}, {"ParameterKey": "b"}],
        "Tags": "",
        "Capabilities": ["C"],
    }


def test_an_answer_holds_what_the_api_reference_names_and_escapes_it() -> None:
    created = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    stack: dict[str, Any] = {
        "StackName": "<a>", "CreationTime": created, "DisableRollback": False, "Unheard": 1, "Tags": [{"Key": "k", "Value": "v"}],
    }  # fmt: skip
    xml = ET.fromstring(wire.answer("DescribeStacks", {"Stacks": [stack], "NextToken": None}))  # noqa: S314 - our own text
    names = {"c": wire.NAMESPACE}
    member = xml.find("c:DescribeStacksResult/c:Stacks/c:member", names)
    assert member is not None
    assert member.findtext("c:StackName", namespaces=names) == "<a>"
    assert member.findtext("c:CreationTime", namespaces=names) == "2026-01-02T03:04:05.678Z"
    assert member.findtext("c:DisableRollback", namespaces=names) == "false"
    assert member.findtext("c:Tags/c:member/c:Key", namespaces=names) == "k"
    assert member.find("c:Unheard", names) is None


def test_a_template_beyond_the_inline_limit_is_refused() -> None:
    with pytest.raises(RefusalError, match="less than or equal to 51200"):
        parse("#" * 51_201)
