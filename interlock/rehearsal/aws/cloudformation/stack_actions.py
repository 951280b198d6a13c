"""The actions that change stacks directly."""

from interlock.rehearsal.aws.cloudformation import blueprints, guards
from interlock.rehearsal.aws.cloudformation.changes import plan
from interlock.rehearsal.aws.cloudformation.creation import Creation
from interlock.rehearsal.aws.cloudformation.deletion import Deletion
from interlock.rehearsal.aws.cloudformation.errors import invalid
from interlock.rehearsal.aws.cloudformation.request import Action, Request
from interlock.rehearsal.aws.cloudformation.state import Blueprint, Json, Stack, now
from interlock.rehearsal.aws.cloudformation.update import RollbackContinuation, Update


async def create_stack(request: Request) -> Json:
    name, token = request.new_stack_name, request.token
    guards.must_be_absent(request.find_stack(name), name)
    blueprint = await _drawn(request, None)
    guards.must_be_absent(request.find_stack(name), name)  # somebody else's may have come while ours was drawn
    stack = request.cloud.new_stack(request.account, request.region, name)
    stack.blueprint = blueprint
    stack.is_protected = request.flag("EnableTerminationProtection")
    stack.disable_rollback = request.flag("DisableRollback") or request.text("OnFailure") == "DO_NOTHING"
    Creation(stack, request.cloud, token).start()
    return {"StackId": stack.stack_id}


async def update_stack(request: Request) -> Json:
    stack, token = request.find_stack(), request.token
    if stack is None:
        raise invalid(f"Stack [{request.required('StackName')}] does not exist")
    guards.must_be_updatable(stack)
    blueprint = await _drawn(request, request.find_stack())
    guards.must_be_updatable(stack)
    if stack.status == "REVIEW_IN_PROGRESS":
        raise invalid(f"Stack:{stack.stack_id} is in REVIEW_IN_PROGRESS state and can not be updated.")
    if plan(stack, blueprint, request.cloud).is_empty:
        raise invalid("No updates are to be performed.")
    stack.updated_at = now()
    Update(stack, request.cloud, token, blueprint).start()
    return {"StackId": stack.stack_id}


async def delete_stack(request: Request) -> Json:
    stack, token = request.find_stack(), request.token
    if stack is None or stack.is_gone or stack.status == "DELETE_IN_PROGRESS":
        return {}
    guards.must_be_deletable(stack)
    Deletion(stack, request.cloud, token, request.items("RetainResources")).start()
    return {}


async def cancel_update(request: Request) -> Json:
    stack = request.stack()
    if stack.status != "UPDATE_IN_PROGRESS" or stack.operation is None:
        raise invalid("CancelUpdateStack cannot be called from current stack status")
    stack.operation.cancel()
    return {}


async def continue_update_rollback(request: Request) -> Json:
    stack, token = request.stack(), request.token
    before = stack.operation
    if stack.status != "UPDATE_ROLLBACK_FAILED" or not isinstance(before, Update | RollbackContinuation):
        raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be rolled back.")
    skipped = request.items("ResourcesToSkip")
    guards.must_have_failed(skipped, before.before.touched)
    RollbackContinuation(stack, request.cloud, token, before.before, skipped).start()
    return {}


async def update_termination_protection(request: Request) -> Json:
    stack = request.stack()
    stack.is_protected = request.flag("EnableTerminationProtection")
    return {"StackId": stack.stack_id}


async def _drawn(request: Request, stack: Stack | None) -> Blueprint:
    _, template = blueprints.read_template(request, stack)
    blueprints.check_expansion(template, request.items("Capabilities"), is_change_set=False)
    blueprint = await blueprints.draw(request, stack)
    blueprints.check_capabilities(blueprint.resources, blueprint.capabilities)
    return blueprint


ACTIONS: dict[str, Action] = {
    "CancelUpdateStack": cancel_update,
    "ContinueUpdateRollback": continue_update_rollback,
    "CreateStack": create_stack,
    "DeleteStack": delete_stack,
    "UpdateStack": update_stack,
    "UpdateTerminationProtection": update_termination_protection,
}
