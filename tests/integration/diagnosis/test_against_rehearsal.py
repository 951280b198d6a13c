"""An ECS service behind a load balancer, over HTTP: what stubs cannot show."""

import os
import time
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from interlock.cloudformation.clients import clients_for_a_look
from interlock.diagnosis.diagnosis import BUDGET_SECONDS, Diagnosis
from interlock.models.environment import Environment
from interlock.models.finding import Suspect
from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import client

ENVIRONMENT = Environment(name="staging", stack_name="app", region="us-east-1")
CONTAINER = {"name": "app", "image": "nginx", "memory": 64, "environment": [{"name": "TOKEN", "value": "hunter2"}]}


@pytest.fixture
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0.2) as aws, patch.dict(os.environ, aws.environment()):
        yield aws


@pytest.fixture
def service(aws: RehearsalAws) -> Suspect:
    ecs, balancing = client(aws, "ecs"), client(aws, "elbv2")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="web", containerDefinitions=[CONTAINER])
    made = balancing.create_target_group(Name="web-tg", Protocol="HTTP", Port=80, VpcId="vpc-1")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    balancing.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.1", "Port": 80}])
    balanced = {"targetGroupArn": group, "containerName": "app", "containerPort": 80}
    made = ecs.create_service(
        cluster="shop", serviceName="web", taskDefinition="web", desiredCount=0, loadBalancers=[balanced]
    )
    arn = made["service"]["serviceArn"]
    return Suspect(stack_id="app", logical_id="Web", resource_type="AWS::ECS::Service", physical_id=arn)


def lines(service: Suspect) -> list[str]:
    return [each.text for each in Diagnosis(clients_for_a_look(ENVIRONMENT)).of([service])]


def test_a_service_is_found_with_its_rollout_and_its_targets(service: Suspect) -> None:
    found = lines(service)
    assert found[0].startswith("Web: rollout COMPLETED: 0 of 0 tasks run")
    assert "Target group web-tg: 1 healthy" in found
    assert "hunter2" not in str(found)


def test_a_permission_that_lacks_is_named_by_its_iam_action(aws: RehearsalAws, service: Suspect) -> None:
    denied = {"kind": "error", "code": "AccessDeniedException", "message": "not authorized", "status": 400}
    aws.set_faults([denied | {"service": "ecs", "action": "ListTasks"}])
    found = lines(service)
    assert "Not readable: allow `ecs:ListTasks` to the role that Interlock calls AWS with." in found
    assert "Target group web-tg: 1 healthy" in found


def test_an_aws_that_does_not_answer_costs_no_more_than_the_budget(aws: RehearsalAws, service: Suspect) -> None:
    aws.set_faults([{"service": "*", "action": "Describe*", "kind": "hang", "times": -1}])
    began = time.monotonic()
    found = lines(service)
    assert time.monotonic() - began < BUDGET_SECONDS + 1
    assert found
