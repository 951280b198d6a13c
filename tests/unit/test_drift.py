"""Drift as it is told: what differs, within a bound of time, and no value that may be secret."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.cloudformation.drift_answers import detection_of, resource_drift_of
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.polling import Waiting
from interlock.drift import PATIENCE_SECONDS, look_for_drift
from interlock.errors import CloudFormationRefusedError, CloudFormationUnavailableError
from interlock.models.drift import Drift, DriftDetection, ResourceDrift
from interlock.models.environment import Environment
from interlock.models.stack import Stack
from interlock.registry import open_registry
from tasks import drift as drift_task
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, cid, enqueue

STAGING = Environment(name=ENVIRONMENT, stack_name="app", region="eu-west-1")
OLD, NEW = "old-value", "new-value"
TEMPLATE = {
    "Parameters": {"Pw": {"Type": "String", "NoEcho": True}, "Size": {"Type": "String"}},
    "Resources": {
        "Service": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "Plain": {"Ref": "Size"},
                "Url": {"Fn::Sub": "db://user:${Pw}@host"},
                "Nested": {"Deep": [{"Value": {"Ref": "Pw"}}]},
                "Dynamic": "{{resolve:secretsmanager:x}}",
            },
        }
    },
}


def answer(path: str, *, expected: Any = OLD, properties: Any = None, logical_id: str = "Service") -> dict[str, Any]:
    difference = {"PropertyPath": path, "ExpectedValue": expected, "ActualValue": NEW, "DifferenceType": "NOT_EQUAL"}
    return {
        "LogicalResourceId": logical_id,
        "ResourceType": "AWS::SQS::Queue",
        "StackResourceDriftStatus": "MODIFIED",
        "ExpectedProperties": json.dumps(properties or {}),
        "PropertyDifferences": [difference],
    }


@dataclass
class FakeCloudFormation:
    """A stack with drift, found after so many looks."""

    drifts: list[dict[str, Any]] = field(default_factory=list)
    looks_needed: float = 1
    failure: str | None = None
    status: str | None = "UPDATE_COMPLETE"
    template: str = json.dumps(TEMPLATE)
    error: Exception | None = None

    def stack(self, _name: str, *, certain: bool) -> Stack | None:
        assert not certain
        return Stack(name="app", stack_id="arn", status=self.status) if self.status else None

    def detect_drift(self, _stack_id: str) -> str:
        if self.error:
            raise self.error
        return "detection"

    def drift_detection(self, _detection_id: str) -> DriftDetection:
        self.looks_needed -= 1
        return DriftDetection(is_over=self.looks_needed <= 0, failure=self.failure)

    def resource_drifts(self, _stack_id: str) -> list[ResourceDrift]:
        return [each for each in map(resource_drift_of, self.drifts) if each]

    def get_template(self, _stack: Stack) -> str:
        return self.template


def look(aws: FakeCloudFormation, clock: FrozenClock | None = None) -> Drift:
    clock = clock or FrozenClock()
    return look_for_drift(cast("CloudFormation", aws), STAGING, Waiting(clock, clock.advance))


def shown(aws: FakeCloudFormation) -> list[tuple[str, str]]:
    return [(each.expected, each.actual) for resource in look(aws).resources for each in resource.properties]


def test_what_differs_is_told_with_both_values() -> None:
    aws = FakeCloudFormation([answer("/Plain")])
    assert shown(aws) == [(OLD, NEW)]
    assert look(aws).in_words == "1 resource differs from the template: Service."


def test_what_is_gone_is_told_and_what_is_in_order_is_not() -> None:
    gone = {**answer(""), "StackResourceDriftStatus": "DELETED", "PropertyDifferences": []}
    well = {**answer("/Plain"), "StackResourceDriftStatus": "IN_SYNC"}
    (found,) = look(FakeCloudFormation([gone, well])).resources
    assert found.in_words == "Service (AWS::SQS::Queue) is gone"
    assert look(FakeCloudFormation([well])).in_words == "No resource differs from the template."


@pytest.mark.parametrize("path", ["/Url", "/Nested/Deep/0/Value", "/Dynamic"])
def test_what_the_template_makes_of_a_secret_is_masked(path: str) -> None:
    assert shown(FakeCloudFormation([answer(path)])) == [("****", "****")]


@pytest.mark.parametrize(
    "drifted",
    [
        answer("/Environment/DB_PASSWORD"),
        answer("/Environment", expected='{"apiKey": "x"}'),
        answer("/Env/0/Value", properties={"Env": [{"Name": "DB_PASSWORD", "Value": OLD}]}),
        answer("/Options/0/Settings/Value", properties={"Options": [{"Key": "AuthToken", "Settings": {"Value": OLD}}]}),
    ],
)
def test_what_is_named_like_a_secret_is_masked_wherever_the_name_stands(drifted: dict[str, Any]) -> None:
    assert shown(FakeCloudFormation([drifted])) == [("****", "****")]


@pytest.mark.parametrize("template", [json.dumps(TEMPLATE), "not: [a template"])
def test_what_nobody_can_tell_the_making_of_is_masked(template: str) -> None:
    by_a_transform = answer("/Plain", logical_id="MadeByATransform")
    assert shown(FakeCloudFormation([by_a_transform], template=template)) == [("****", "****")]


@given(
    name=st.sampled_from(["password", "Secret", "authToken", "apiKey"]),
    above=st.lists(st.sampled_from(["Settings", "0", "Environment"]), max_size=4),
    below=st.lists(st.sampled_from(["Value", "0"]), max_size=3),
)
def test_whatever_the_path_a_secret_name_in_it_hides_the_values(name: str, above: list[str], below: list[str]) -> None:
    drift = resource_drift_of(answer("/" + "/".join([*above, name, *below])))
    assert drift is not None
    assert OLD not in str(drift)
    assert NEW not in str(drift)


def test_it_is_not_waited_for_longer_than_two_minutes() -> None:
    clock = FrozenClock()
    began = clock()
    drift = look(FakeCloudFormation([answer("/Plain")], looks_needed=10**9), clock)
    assert drift == Drift(not_known="CloudFormation has not found out within 120 s.")
    assert (clock() - began).total_seconds() <= PATIENCE_SECONDS


def test_a_detection_that_failed_for_some_tells_of_the_others() -> None:
    drift = look(FakeCloudFormation([answer("/Plain")], failure="no right to read Queue"))
    assert drift.in_words == ("1 resource differs from the template: Service. Not known of all: no right to read Queue")


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS"])
def test_without_a_stack_there_is_nothing_to_look_at(status: str | None) -> None:
    assert look(FakeCloudFormation(status=status)).not_known == "there is no stack yet."


def test_a_detection_is_over_when_it_does_not_say_that_it_goes_on() -> None:
    assert not detection_of({"DetectionStatus": "DETECTION_IN_PROGRESS"}).is_over
    assert detection_of({"DetectionStatus": "DETECTION_COMPLETE"}) == DriftDetection(is_over=True)
    failed = detection_of({"DetectionStatus": "DETECTION_FAILED", "DetectionStatusReason": "no right"})
    assert failed == DriftDetection(is_over=True, failure="no right")
    with pytest.raises(CloudFormationUnavailableError):
        detection_of({})


# --- the task --------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCloudFormation], list[tuple[str, str]]]:
    """The events that the task leaves on the record."""
    clock = FrozenClock()
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
    enqueue(registry, 1)

    def tell(aws: FakeCloudFormation) -> list[tuple[str, str]]:
        here = SimpleNamespace(
            registry=registry, clock=clock, environment_of=lambda _: STAGING, cloudformation=lambda _: aws
        )
        monkeypatch.setattr(drift_task, "installation", lambda: here)
        monkeypatch.setattr(drift_task, "publish_drift", lambda *_: None)
        drift_task.tell_drift.__wrapped__(registry.deployments.get(cid(1)))  # type: ignore[attr-defined]
        return [(event.event, event.details) for event in registry.deployments.get(cid(1)).events]

    return tell


def test_it_is_counted_on_the_record_without_a_value(
    told: Callable[[FakeCloudFormation], list[tuple[str, str]]], caplog: pytest.LogCaptureFixture
) -> None:
    events = told(FakeCloudFormation([answer("/Plain"), answer("/Url", logical_id="Service")]))
    assert events == [("DRIFT_DETECTED", "2 resources differ from the template: Service, Service.")]
    assert "Drift:   /Plain: expected old-value, is new-value (NOT_EQUAL)" in caplog.text
    assert "Drift:   /Url: expected ****, is **** (NOT_EQUAL)" in caplog.text
    assert told(FakeCloudFormation())[-1] == ("NO_DRIFT", "No resource differs from the template.")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            CloudFormationRefusedError("not for you", code="AccessDenied", next_step="Allow it."),
            "not for you Allow it.",
        ),
        (CloudFormationUnavailableError("Rate exceeded"), "Rate exceeded"),
        (KeyError("Surprise"), "it could not be read (KeyError)."),
    ],
)
def test_a_refused_permission_and_any_other_trouble_is_a_line_and_no_more(
    told: Callable[[FakeCloudFormation], list[tuple[str, str]]], error: Exception, words: str
) -> None:
    assert told(FakeCloudFormation(error=error)) == [("DRIFT_NOT_KNOWN", f"Not known: {words}")]
