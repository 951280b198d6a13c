"""Drift: what a rule says was changed by hand. Found after as long as the rules say that a detection takes."""

import json
import time
import uuid
from dataclasses import dataclass, field

from interlock.rehearsal.aws.cloudformation.cloud import Cloud
from interlock.rehearsal.aws.cloudformation.errors import invalid
from interlock.rehearsal.aws.cloudformation.request import Action, Request, page
from interlock.rehearsal.aws.cloudformation.state import Json, Resource, Stack, now
from interlock.rehearsal.aws.rules import Behaviour

_SECONDS = 0.1
_PAGE_SIZE = 100
_IN_PROGRESS, _COMPLETE, _FAILED = "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE", "DETECTION_FAILED"
_DETECTABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED"})


@dataclass
class Detection:
    """One run of DetectStackDrift. It has no task of its own: whoever asks works out how far it has come."""

    stack: Stack
    cloud: Cloud
    detection_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _started: float = field(default_factory=time.monotonic)

    @property
    def reason(self) -> str | None:
        """Why it failed, once it is over."""
        return next((told.fail for told in self._told() if told.fail), None)

    @property
    def status(self) -> str:
        elapsed = time.monotonic() - self._started
        if any(told.stall or told.seconds > elapsed for told in self._told()):
            return _IN_PROGRESS
        return _FAILED if self.reason else _COMPLETE

    def _told(self) -> list[Behaviour]:
        return [
            self.cloud.rules.behaviour(self.stack.name, name, "DRIFT", resource.definition.get("Metadata"), _SECONDS)
            for name, resource in self.stack.resources.items()
        ]


async def detect_stack_drift(request: Request) -> Json:
    stack = request.stack()
    if stack.status not in _DETECTABLE:
        raise invalid(
            f"Drift detection cannot be performed on stack [{stack.stack_id}] while it is in {stack.status} state."
        )
    if any(each.stack is stack and each.status == _IN_PROGRESS for each in request.cloud.detections.values()):
        raise invalid(f"Drift detection is already in progress for stack [{stack.stack_id}]")
    detection = Detection(stack, request.cloud)
    request.cloud.detections[detection.detection_id] = detection
    return {"StackDriftDetectionId": detection.detection_id}


async def describe_stack_drift_detection_status(request: Request) -> Json:
    detection = request.cloud.detections.get(request.required("StackDriftDetectionId"))
    if detection is None:
        raise invalid("Drift detection does not exist")
    status, stack = detection.status, detection.stack
    drifted = [each for each in stack.resources.values() if request.cloud.rules.drift(stack.name, each.logical_id)]
    found = {
        "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC",
        "DriftedStackResourceCount": len(drifted),
        "DetectionStatusReason": detection.reason,
    }
    return {
        "StackId": stack.stack_id,
        "StackDriftDetectionId": detection.detection_id,
        "DetectionStatus": status,
        "Timestamp": now(),
        **({} if status == _IN_PROGRESS else found),
    }


async def describe_stack_resource_drifts(request: Request) -> Json:
    stack, wanted = request.stack(), request.items("StackResourceDriftStatusFilters")
    is_checked = any(each.stack is stack for each in request.cloud.detections.values())
    drifts = [_drift(request.cloud, stack, each) for each in stack.resources.values()] if is_checked else []
    drifts = [each for each in drifts if not wanted or each["StackResourceDriftStatus"] in wanted]
    shown, token = page(drifts, request.text("NextToken"), _PAGE_SIZE, lambda each: str(each["LogicalResourceId"]))
    return {"StackResourceDrifts": shown, "NextToken": token}


def _drift(cloud: Cloud, stack: Stack, resource: Resource) -> Json:
    planted = cloud.rules.drift(stack.name, resource.logical_id)
    differences = [] if planted is None or planted == "DELETED" else _differences(resource, planted)
    return {
        "StackId": stack.stack_id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.resource_type,
        "StackResourceDriftStatus": "DELETED" if planted == "DELETED" else "MODIFIED" if differences else "IN_SYNC",
        "ExpectedProperties": json.dumps(resource.properties, default=str),
        "PropertyDifferences": differences,
        "Timestamp": now(),
    }


def _differences(resource: Resource, planted: Json) -> list[Json]:
    return [
        {
            "PropertyPath": path,
            "ExpectedValue": _at(resource.properties, path),
            "ActualValue": "null" if actual is None else str(actual),
            "DifferenceType": "REMOVE" if actual is None else "NOT_EQUAL",
        }
        for path, actual in planted.items()
    ]


def _at(properties: Json, path: str) -> str:
    found: object = properties
    for step in path.strip("/").split("/"):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, str) else json.dumps(found)


ACTIONS: dict[str, Action] = {
    "DescribeStackDriftDetectionStatus": describe_stack_drift_detection_status,
    "DescribeStackResourceDrifts": describe_stack_resource_drifts,
    "DetectStackDrift": detect_stack_drift,
}
