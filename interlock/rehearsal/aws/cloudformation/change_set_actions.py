"""Change sets: made, shown, executed once, forgotten."""

import asyncio
import uuid

from interlock.rehearsal.aws.cloudformation import blueprints, guards
from interlock.rehearsal.aws.cloudformation.changes import plan
from interlock.rehearsal.aws.cloudformation.creation import Creation
from interlock.rehearsal.aws.cloudformation.errors import RefusalError, invalid
from interlock.rehearsal.aws.cloudformation.parameters import described
from interlock.rehearsal.aws.cloudformation.request import Action, Request, page
from interlock.rehearsal.aws.cloudformation.state import ChangeSet, Json, Stack, now
from interlock.rehearsal.aws.cloudformation.templates import transforms_of
from interlock.rehearsal.aws.cloudformation.update import Update

_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
_PAGE_SIZE = 100


async def create_change_set(request: Request) -> Json:
    name, kind = request.required("ChangeSetName"), request.text("ChangeSetType") or "UPDATE"
    _check_stack(request, name, kind)
    _, template = blueprints.read_template(request, request.find_stack())
    capabilities = request.items("Capabilities")
    blueprints.check_expansion(template, capabilities, is_change_set=True)
    if not transforms_of(template):
        blueprints.check_capabilities(template["Resources"], tuple(capabilities))
    blueprint = await blueprints.draw(request, request.find_stack())
    stack = _check_stack(request, name, kind) or _reviewed(request)
    arn = f"arn:aws:cloudformation:{request.region}:{request.account}:changeSet/{name}/{uuid.uuid4()}"
    change_set = ChangeSet(name, arn, stack, kind, blueprint, description=request.text("Description"))
    request.cloud.change_sets.append(change_set)
    delay_seconds = request.cloud.pace.change_set_seconds
    if delay_seconds:
        asyncio.get_running_loop().call_later(delay_seconds, _complete, change_set, request)
    else:
        _complete(change_set, request)
    return {"Id": arn, "StackId": stack.stack_id}


async def describe_change_set(request: Request) -> Json:
    change_set = _found(request)
    changes, token = page(change_set.changes, request.text("NextToken"), _PAGE_SIZE, _change_key)
    template = change_set.blueprint.template
    return {
        **_summary(change_set),
        "Changes": changes,
        "NextToken": token,
        "Parameters": described(
            template.get("Parameters") or {}, change_set.blueprint.parameters, change_set.blueprint.resolved
        ),
        "Capabilities": list(change_set.blueprint.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in change_set.blueprint.tags.items()],
        "NotificationARNs": list(change_set.blueprint.notification_arns),
        "RollbackConfiguration": {},
    }


async def execute_change_set(request: Request) -> Json:
    change_set, token = _found(request), request.token
    guards.must_be_executable(change_set)
    stack = change_set.stack
    guards.must_be_updatable(stack)
    for other in request.cloud.change_sets:
        if other.stack is stack and other.execution_status == "AVAILABLE":
            other.execution_status = "OBSOLETE"
    change_set.execution_status = "EXECUTE_COMPLETE"
    stack.disable_rollback = request.flag("DisableRollback")
    if stack.status == "REVIEW_IN_PROGRESS":
        stack.blueprint = change_set.blueprint
        Creation(stack, request.cloud, token).start()
    else:
        stack.updated_at = now()
        Update(stack, request.cloud, token, change_set.blueprint).start()
    return {}


async def delete_change_set(request: Request) -> Json:
    found = _find(request)
    if found and found.status == "CREATE_IN_PROGRESS":
        raise RefusalError(
            "InvalidChangeSetStatus",
            f"ChangeSet [{found.arn}] cannot be deleted in its current status of [{found.status}]",
        )
    if found:
        request.cloud.change_sets.remove(found)
    return {}


async def list_change_sets(request: Request) -> Json:
    stack = request.stack()
    ours = [_summary(change_set) for change_set in request.cloud.change_sets if change_set.stack is stack]
    shown, token = page(ours, request.text("NextToken"), _PAGE_SIZE, lambda summary: str(summary["ChangeSetId"]))
    return {"Summaries": shown, "NextToken": token}


def _check_stack(request: Request, change_set_name: str, kind: str) -> Stack | None:
    name = request.required("StackName")
    stack = request.find_stack(name)
    if kind == "CREATE":
        guards.must_be_reviewable(stack, change_set_name)
    elif stack is None:
        raise invalid(f"Stack [{name}] does not exist")
    else:
        guards.must_be_updatable(stack)
    if stack and any(other.name == change_set_name and other.stack is stack for other in request.cloud.change_sets):
        raise RefusalError(
            "AlreadyExistsException",
            f"ChangeSet {change_set_name} cannot be created as it already exists in stack {name}",
        )
    return stack


def _reviewed(request: Request) -> Stack:
    stack = request.cloud.new_stack(request.account, request.region, request.new_stack_name)
    stack.enter("REVIEW_IN_PROGRESS", "User Initiated")
    return stack


def _complete(change_set: ChangeSet, request: Request) -> None:
    """The end of the creation, which AWS reaches some seconds after the request."""
    try:
        change_set.changes = _planned(change_set, request)
    except RefusalError as refusal:
        change_set.status, change_set.reason = "FAILED", refusal.message
    else:
        change_set.status, change_set.execution_status = "CREATE_COMPLETE", "AVAILABLE"


def _planned(change_set: ChangeSet, request: Request) -> list[Json]:
    blueprint, stack = change_set.blueprint, change_set.stack
    blueprints.check_capabilities(blueprint.resources, blueprint.capabilities)  # what a transform made counts too
    planned = plan(stack, blueprint, request.cloud)
    if planned.is_empty and stack.status != "REVIEW_IN_PROGRESS":
        raise RefusalError("", _NO_CHANGES)
    return planned.changes


def _found(request: Request) -> ChangeSet:
    change_set = _find(request)
    if change_set is None:
        raise RefusalError("ChangeSetNotFound", f"ChangeSet [{request.required('ChangeSetName')}] does not exist", 404)
    return change_set


def _find(request: Request) -> ChangeSet | None:
    name, stack_name = request.required("ChangeSetName"), request.text("StackName")
    if name.startswith("arn:"):
        return next((candidate for candidate in request.cloud.change_sets if candidate.arn == name), None)
    if stack_name is None:
        raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
    stack = request.find_stack(stack_name)
    if stack is None:
        raise invalid(f"Stack [{stack_name}] does not exist")
    return next(
        (candidate for candidate in request.cloud.change_sets if candidate.stack is stack and candidate.name == name),
        None,
    )


def _summary(change_set: ChangeSet) -> Json:
    return {
        "ChangeSetId": change_set.arn,
        "ChangeSetName": change_set.name,
        "CreationTime": change_set.created_at,
        "Description": change_set.description,
        "ExecutionStatus": change_set.execution_status,
        "IncludeNestedStacks": False,
        "StackId": change_set.stack.stack_id,
        "StackName": change_set.stack.name,
        "Status": change_set.status,
        "StatusReason": change_set.reason or None,
    }


def _change_key(change: Json) -> str:
    return str(change["ResourceChange"]["LogicalResourceId"])


ACTIONS: dict[str, Action] = {
    "CreateChangeSet": create_change_set,
    "DeleteChangeSet": delete_change_set,
    "DescribeChangeSet": describe_change_set,
    "ExecuteChangeSet": execute_change_set,
    "ListChangeSets": list_change_sets,
}
