"""AWS's answers about drift read into values, without what is secret by its name."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from interlock.cloudformation.answers import Answer, part
from interlock.cloudformation.parameters import looks_secret
from interlock.models.drift import DriftDetection, PropertyDrift, ResourceDrift

_GONE = "DELETED"
_CHANGED = "MODIFIED"


def detection_of(answer: Answer) -> DriftDetection:
    status = part(answer, "DetectionStatus")
    failure = answer.get("DetectionStatusReason") or "the detection failed." if status == "DETECTION_FAILED" else None
    return DriftDetection(is_over=status != "DETECTION_IN_PROGRESS", failure=failure)


def resource_drift_of(answer: Answer) -> ResourceDrift | None:
    """None for a resource that is as the template says, or that CloudFormation cannot check."""
    status = part(answer, "StackResourceDriftStatus")
    if status not in (_GONE, _CHANGED):
        return None
    expected = _document(answer.get("ExpectedProperties"))
    drift = ResourceDrift(
        logical_id=answer.get("LogicalResourceId", ""),
        resource_type=answer.get("ResourceType", ""),
        is_deleted=status == _GONE,
        properties=tuple(_property_of(each) for each in answer.get("PropertyDifferences", ())),
    )
    return drift.masked(lambda each: _looks_secret(each, expected))


def _property_of(answer: Answer) -> PropertyDrift:
    return PropertyDrift(
        path=answer.get("PropertyPath", ""),
        expected=str(answer.get("ExpectedValue", "")),
        actual=str(answer.get("ActualValue", "")),
        kind=answer.get("DifferenceType", ""),
    )


def _looks_secret(drift: PropertyDrift, expected: Any) -> bool:
    """By its path, by a name within the value, or by a name beside it: `{"Name": "DB_PASSWORD", "Value": ...}`."""
    told = [drift.path, drift.expected, drift.actual, *_beside(drift.path, expected)]
    return any(looks_secret(each) for each in told)


def _beside(path: str, expected: Any) -> Iterator[str]:
    """The texts in every object that the path leads through, but for the whole resource."""
    node = expected
    for step in path.strip("/").split("/"):
        if node is not expected and isinstance(node, dict):
            yield from (each for each in node.values() if isinstance(each, str))
        node = _step(node, step)


def _step(node: Any, step: str) -> Any:
    if isinstance(node, list):
        return node[int(step)] if step.isdigit() and int(step) < len(node) else None
    return node.get(step) if isinstance(node, Mapping) else None


def _document(text: str | None) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {}
