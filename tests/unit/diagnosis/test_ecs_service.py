"""An ECS service that does not settle is explained by what ECS and its load balancer say."""

from typing import Any

import pytest

from tests.unit.diagnosis.kit import FakeAws, suspect

ARN = "arn:aws:ecs:eu-west-1:123456789012:service/shop/web"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-tg/49508e4e4202d4c1"
TASKS = [f"arn:aws:ecs:eu-west-1:123456789012:task/shop/{number}" for number in range(3)]
SERVICE = suspect("AWS::ECS::Service", ARN, logical_id="Web")


def service(**more: Any) -> dict[str, Any]:
    return {
        "serviceArn": ARN,
        "deployments": [
            {
                "status": "PRIMARY",
                "rolloutState": "IN_PROGRESS",
                "rolloutStateReason": "ECS deployment ecs-svc/1 in progress.",
                "runningCount": 0,
                "desiredCount": 2,
                "failedTasks": 5,
            },
            {"status": "ACTIVE", "runningCount": 2, "desiredCount": 2},
        ],
        "events": [{"message": f"(service web) event {number}"} for number in range(30)],
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "app", "containerPort": 80}],
        **more,
    }


def stopped(reason: str, exit_code: int, container_reason: str | None = None) -> dict[str, Any]:
    container = {"name": "app", "exitCode": exit_code}
    secret = {"containerOverrides": [{"name": "app", "environment": [{"name": "TOKEN", "value": "hunter2"}]}]}
    return {
        "stoppedReason": reason,
        "containers": [container | ({"reason": container_reason} if container_reason else {})],
        "overrides": secret,
    }


@pytest.fixture
def aws() -> FakeAws:
    aws = FakeAws()
    ecs = aws.stub("ecs")
    ecs.add_response("describe_services", {"services": [service()]}, {"cluster": "shop", "services": [ARN]})
    ecs.add_response(
        "list_tasks",
        {"taskArns": TASKS},
        {"cluster": "shop", "serviceName": "web", "desiredStatus": "STOPPED", "maxResults": 10},
    )
    tasks = [
        stopped("Essential container in task exited", 137, "OutOfMemoryError: container killed"),
        stopped("Essential container in task exited", 1),
        stopped("Essential container in task exited", 1),
    ]
    ecs.add_response("describe_tasks", {"tasks": tasks}, {"cluster": "shop", "tasks": TASKS})
    unhealthy = {"State": "unhealthy", "Description": "Health checks failed with these codes: [404]"}
    aws.stub("elbv2").add_response(
        "describe_target_health",
        {"TargetHealthDescriptions": [{"TargetHealth": unhealthy}, {"TargetHealth": unhealthy}]},
        {"TargetGroupArn": GROUP},
    )
    return aws


def test_rollout_stopped_tasks_targets_and_events_are_told_in_this_order(aws: FakeAws) -> None:
    assert aws.lines(SERVICE) == [
        "Web: rollout IN_PROGRESS: 0 of 2 tasks run, 5 failed. ECS deployment ecs-svc/1 in progress.",
        "2 stopped tasks: Essential container in task exited; container app exit code 1",
        (
            "1 stopped task: Essential container in task exited;"
            " container app exit code 137: OutOfMemoryError: container killed"
        ),
        "Target group web-tg: 2 unhealthy (Health checks failed with these codes: [404])",
        *(f"ECS: (service web) event {number}" for number in range(4)),
    ]
    aws.assert_all_asked()


def test_the_services_own_page_is_linked(aws: FakeAws) -> None:
    assert aws.links(SERVICE)[0] == (
        "https://console.aws.amazon.com/ecs/v2/clusters/shop/services/web/health?region=eu-west-1"
    )


def test_no_value_of_a_containers_environment_is_told(aws: FakeAws) -> None:
    assert not [line for line in aws.lines(SERVICE) if "hunter2" in line or "TOKEN" in line]


def test_a_service_that_ecs_has_not_made_yet_is_not_asked_about() -> None:
    assert FakeAws().lines(suspect("AWS::ECS::Service", None)) == []


def test_an_id_of_before_2018_is_looked_for_in_the_default_cluster() -> None:
    aws = FakeAws()
    arn = "arn:aws:ecs:eu-west-1:123456789012:service/web"
    aws.stub("ecs").add_response("describe_services", {"services": []}, {"services": [arn]})
    assert aws.lines(suspect("AWS::ECS::Service", arn)) == ["Thing: ECS knows no such service (any more)."]


def test_a_missing_permission_is_named_and_costs_only_its_own_look() -> None:
    aws = FakeAws()
    ecs = aws.stub("ecs")
    ecs.add_response("describe_services", {"services": [service()]})
    ecs.add_client_error("list_tasks", "AccessDeniedException", "no")
    aws.stub("elbv2").add_client_error("describe_target_health", "AccessDenied", "no")
    lines = aws.lines(SERVICE)
    assert "Not readable: allow `ecs:ListTasks` to the role that Interlock calls AWS with." in lines
    allowed = "elasticloadbalancing:DescribeTargetHealth"
    assert f"Not readable: allow `{allowed}` to the role that Interlock calls AWS with." in lines
    assert lines[-1] == "ECS: (service web) event 3"


def test_one_refusal_that_all_looks_meet_is_told_once() -> None:
    aws = FakeAws()
    for _ in range(4):
        aws.stub("ecs").add_client_error("describe_services", "AccessDeniedException", "no")
    assert len(aws.lines(SERVICE)) == 1
