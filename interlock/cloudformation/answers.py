"""AWS's answers read into values. A part that must be there and is not means a cut-short answer, never "nothing"."""

from collections.abc import Callable, Mapping
from typing import Any

from interlock.cloudformation.parameters import looks_secret
from interlock.errors import CloudFormationUnavailableError
from interlock.models.stack import Change, ChangeSet, Stack, StackEvent
from interlock.secret_values.redactor import MASK

Answer = Mapping[str, Any]

_FREE_TEXT = frozenset(
    {
        "StackStatusReason",
        "ResourceStatusReason",
        "StatusReason",
        "OutputValue",
        "Description",
        "DetectionStatusReason",
        "ExpectedValue",
        "ActualValue",
    }
)
"""Where AWS may quote a parameter's value. All else is names, and compared: masking it would break what it is for."""


def part(answer: Answer, key: str) -> Any:
    """The part `key` of an answer.

    Raises:
        CloudFormationUnavailableError: it is missing, so the answer was cut short and says nothing.
    """
    if key not in answer:
        raise CloudFormationUnavailableError(
            f"AWS's answer has no {key}: it was cut short.", next_step="It will be tried again."
        )
    return answer[key]


def without_secrets(answer: Any, redact: Callable[[str], str]) -> Any:
    """The answer with its free text redacted: here AWS's words come in, and no secret further than this."""
    if isinstance(answer, list):
        return [without_secrets(each, redact) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        key: redact(value) if key in _FREE_TEXT and isinstance(value, str) else without_secrets(value, redact)
        for key, value in answer.items()
    }


def stack_of(answer: Answer) -> Stack:
    return Stack(
        name=part(answer, "StackName"),
        stack_id=part(answer, "StackId"),
        status=part(answer, "StackStatus"),
        status_reason=answer.get("StackStatusReason"),
        outputs={each["OutputKey"]: _output_value(each) for each in answer.get("Outputs", [])},
        tags={each["Key"]: each["Value"] for each in answer.get("Tags", [])},
        creation_time=answer.get("CreationTime"),
        last_updated_time=answer.get("LastUpdatedTime"),
    )


def _output_value(output: Answer) -> str:
    return MASK if looks_secret(output["OutputKey"]) else str(output.get("OutputValue", ""))


def event_of(answer: Answer) -> StackEvent:
    return StackEvent(
        event_id=part(answer, "EventId"),
        timestamp=part(answer, "Timestamp"),
        stack_id=part(answer, "StackId"),
        stack_name=answer.get("StackName", ""),
        logical_id=answer.get("LogicalResourceId", ""),
        physical_id=answer.get("PhysicalResourceId"),
        resource_type=answer.get("ResourceType", ""),
        status=answer.get("ResourceStatus", ""),
        reason=answer.get("ResourceStatusReason") or _hook_reason(answer),
        token=answer.get("ClientRequestToken"),
    )


def _hook_reason(answer: Answer) -> str | None:
    """What a hook says; the resource's own line then says no more than that a hook failed."""
    if "HookStatusReason" not in answer:
        return None
    return f"Hook {answer.get('HookType', '')} {answer.get('HookStatus', '')}: {answer['HookStatusReason']}"


def change_set_of(answer: Answer, changes: list[Answer]) -> ChangeSet:
    return ChangeSet(
        arn=part(answer, "ChangeSetId"),
        name=answer.get("ChangeSetName", ""),
        stack_id=part(answer, "StackId"),
        stack_name=answer.get("StackName", ""),
        status=part(answer, "Status"),
        execution_status=answer.get("ExecutionStatus", "UNAVAILABLE"),
        status_reason=answer.get("StatusReason"),
        changes=tuple(_change_of(each["ResourceChange"]) for each in changes if "ResourceChange" in each),
    )


def _change_of(answer: Answer) -> Change:
    return Change(
        action=answer.get("Action", ""),
        logical_id=answer.get("LogicalResourceId", ""),
        physical_id=answer.get("PhysicalResourceId"),
        resource_type=answer.get("ResourceType", ""),
        replacement=answer.get("Replacement"),
        scope=tuple(answer.get("Scope", ())),
    )
