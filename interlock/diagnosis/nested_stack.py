"""A nested stack that does not end: what in it is unfinished, and what lies behind that."""

from collections.abc import Iterator

from interlock.diagnosis.aws import Aws
from interlock.diagnosis.findings import finding
from interlock.models.finding import Finding, Suspect
from interlock.models.stack_status import StackStatus

_MOST = 3


def unfinished(suspect: Suspect, aws: Aws) -> Iterator[Finding | Suspect]:
    if not suspect.physical_id:
        return
    answer = aws.ask("cloudformation", "describe_stack_resources", StackName=suspect.physical_id)
    rows = [row for row in answer["StackResources"] if not _is_done(StackStatus(row.get("ResourceStatus", "")))]
    for row in rows[:_MOST]:
        inside = Suspect(
            stack_id=suspect.physical_id,
            logical_id=row.get("LogicalResourceId", ""),
            resource_type=row.get("ResourceType", ""),
            physical_id=row.get("PhysicalResourceId"),
            status=row.get("ResourceStatus", ""),
        )
        what = f"{inside.logical_id} ({inside.resource_type}) is {inside.status}"
        yield finding(f"In the nested stack {suspect.logical_id}: {what}. {row.get('ResourceStatusReason', '')}")
        yield inside


def _is_done(state: StackStatus) -> bool:
    return not (state.is_in_progress or state.is_failure)
