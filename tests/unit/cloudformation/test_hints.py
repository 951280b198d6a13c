"""What is said about a failure fits it. The kinds were judged by reading each text."""

import json

import pytest

from interlock.cloudformation.hints import hint_for
from tests.evaluation.recordings import DATA

CATALOGUE = DATA / "api" / "error-catalogue.json"
KINDS = [
    "nothing-to-change",
    "nothing-to-change",
    "change-set-not-executable",
    "change-set-not-executable",
    "stack-deleted",
    "operation-runs",
    "never-created",
    "never-created",
    "operation-runs",
    "operation-runs",
    "rollback-failed",
    "throttled",
    "throttled",
    "already-exists",
    "stack-absent",
    "change-set-gone",
    "deletion-blocked",
    "validation-hook",
    "transform-failed",
    "capabilities",
]
"""In the order of the catalogue."""


@pytest.mark.skipif(not CATALOGUE.is_file(), reason="no recorded data on this machine")
def test_each_text_of_the_catalogue_has_the_hint_that_fits() -> None:
    errors = json.loads(CATALOGUE.read_text(encoding="utf-8"))["errors"]
    hints = [hint_for(error["message"]) for error in errors]
    assert [hint.kind if hint else None for hint in hints] == KINDS


@pytest.mark.parametrize(
    ("reason", "resource_type", "kind"),
    [
        ("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.", None, "ecs-tasks"),
        ("Exceeded attempts to wait (HandlerErrorCode: NotStabilized)", "AWS::ECS::Service", "ecs-tasks"),
        ("Exceeded attempts to wait (HandlerErrorCode: NotStabilized)", "AWS::RDS::DBInstance", "not-stabilised"),
        (
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [1]",
            "Custom::Thing",
            "custom-resource-timeout",
        ),
        (
            "Received response status [FAILED] from custom resource. Message returned: boom",
            None,
            "custom-resource-failed",
        ),
        ("User: arn:aws:sts::1:x is not authorized to perform: iam:CreateRole", None, "access-denied"),
        ("Access denied for operation 'AWS::IAM::Role'", None, "access-denied"),
        ("API: ec2:RunInstances You are not authorized to perform this operation.", None, "access-denied"),
        ("The role defined for the function cannot be assumed by Lambda.", None, "role-not-assumable"),
        ("Topic already exists (HandlerErrorCode: AlreadyExists)", None, "already-exists"),
        ("The maximum number of VPCs has been reached.", None, "limit-exceeded"),
        ("AddressLimitExceeded", None, "limit-exceeded"),
        ("Request limit exceeded. RequestLimitExceeded", None, "throttled"),
        ("We currently do not have sufficient capacity: InsufficientInstanceCapacity", None, "no-capacity"),
        ("The following hook(s) failed: [Acme::Encryption]", None, "validation-hook"),
        ("Stack creation time exceeded the specified timeout. Rollback requested by user.", None, "creation-timeout"),
        ("Failed to receive 1 resource signal(s) within the specified duration", None, "signal-missing"),
        ("resource sg-1 has a dependent object (DependencyViolation)", None, "in-use"),
        ("The bucket you tried to delete is not empty", None, "in-use"),
        ("Export app-vpc cannot be deleted as it is in use by other", None, "export"),
        ("Error occurred while GetObject. S3 Error Code: NoSuchKey.", None, "artifact-missing"),
        ("Embedded stack arn was not successfully updated", None, "nested-stack"),
        ("Model validation failed (#: required key [Name] not found)", None, "invalid-property"),
    ],
)
def test_a_known_kind_is_recognised(reason: str, resource_type: str | None, kind: str) -> None:
    hint = hint_for(reason, resource_type)
    assert hint is not None
    assert hint.kind == kind


def test_an_unknown_text_has_no_hint() -> None:
    assert hint_for("Something nobody has seen before") is None
