from typing import Any

import pytest

from interlock.cloudformation.dependencies import dependencies_in
from interlock.cloudformation.lint import lint

TEMPLATE = """
Parameters: {Name: {Type: String}}
Resources:
  Key: {Type: AWS::KMS::Key, Properties: {KeyPolicy: {}}}
  Queue:
    Type: AWS::SQS::Queue
    DependsOn: Key
    Properties: {QueueName: !Ref Name}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Sub "${Queue.QueueName}-${AWS::Region}-${!literal}", KmsMasterKeyId: !GetAtt Key.Arn}
  Lonely:
    Type: AWS::SNS::Topic
"""


def test_a_resource_needs_what_it_names_in_any_way() -> None:
    template = lint(TEMPLATE, "eu-west-1").template
    assert template is not None
    assert dependencies_in(template) == {"Key": (), "Queue": ("Key",), "Topic": ("Key", "Queue"), "Lonely": ()}


@pytest.mark.parametrize("template", [{}, {"Resources": None}, {"Resources": []}, {"Resources": {"A": "nonsense"}}])
def test_what_is_malformed_has_none(template: dict[str, Any]) -> None:
    assert dependencies_in(template) == {}
