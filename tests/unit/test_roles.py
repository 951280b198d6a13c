"""The IAM templates: nothing wider than they say. cfn-lint (`make lint`) knows whether they are templates at all."""

import pytest

from interlock.doctor.aws import STACK_ACTIONS
from tests.roles import actions, statements

ROLES = ["worker-role.yaml", "ci-role.yaml", "read-only-role.yaml"]
KNOWS_NO_RESOURCES = {
    "cloudformation:BatchDescribeTypeConfigurations",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "cloudformation:ValidateTemplate",
    "elasticloadbalancing:DescribeTargetHealth",
}
READING = ("Get", "BatchGet", "Query", "Describe", "List")


@pytest.mark.parametrize("template", ROLES)
def test_no_action_is_a_pattern(template: str) -> None:
    assert not [action for action in actions(template, *_allowing(template)) if "*" in action]


@pytest.mark.parametrize("template", ROLES)
def test_every_resource_is_named_but_for_actions_that_know_none(template: str) -> None:
    wide = [sid for sid in _allowing(template) if statements(template)[sid]["Resource"] == "*"]
    assert actions(template, *wide) <= KNOWS_NO_RESOURCES


def test_the_workers_role_passes_the_service_role_to_cloudformation_alone() -> None:
    passing = [one for one in statements("worker-role.yaml").values() if one["Action"] == "iam:PassRole"]
    assert [one["Resource"] for one in passing] == [{"Ref": "ServiceRoleArn"}]
    assert passing[0]["Condition"] == {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}


def test_a_change_set_without_the_service_role_is_denied() -> None:
    denial = statements("worker-role.yaml")["NeverWithoutTheServiceRole"]
    assert (denial["Effect"], denial["Action"]) == ("Deny", "cloudformation:CreateChangeSet")
    assert denial["Condition"] == {"StringNotEquals": {"cloudformation:RoleArn": {"Ref": "ServiceRoleArn"}}}


def test_ci_may_upload_and_nothing_else() -> None:
    assert actions("ci-role.yaml", *_allowing("ci-role.yaml")) == {"s3:PutObject"}


def test_the_read_only_role_reads() -> None:
    allowed = actions("read-only-role.yaml", *_allowing("read-only-role.yaml"))
    assert all(action.partition(":")[2].startswith(READING) for action in allowed)


def test_the_doctor_asks_iam_about_what_the_workers_role_allows() -> None:
    assert set(STACK_ACTIONS) == actions("worker-role.yaml", "Stacks")


def _allowing(template: str) -> list[str]:
    return [sid for sid, one in statements(template).items() if one["Effect"] == "Allow"]
