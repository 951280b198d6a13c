"""What a person does about a stack that no deployment can start from, named exactly: which resources, which command."""

import shlex
from collections.abc import Sequence

from interlock.cloudformation.aws_errors import recovery_of
from interlock.models.stack import Failure
from interlock.models.stack_status import StackStatus


def recovery_step(state: StackStatus, *, stack_name: str, region: str, blocking: Sequence[Failure] = ()) -> str:
    """`blocking` is what the rollback failed on."""
    if not state.is_failed_update_rollback:
        return recovery_of(state)
    command = _command("continue-update-rollback", stack_name, region)
    skippable = [_name_to_skip(each, stack_name) for each in blocking if StackStatus(each.status).is_failed_update]
    blocked = ", ".join(each.name for each in blocking) or "what blocks the rollback (see the stack's events)"
    step = f"Repair {blocked}, run `{command}`, wait for UPDATE_ROLLBACK_COMPLETE, then deploy again."
    if not skippable:
        return step
    last_resort = f"{command} --resources-to-skip {shlex.join(skippable)}"
    return f"{step} If it cannot be repaired: `{last_resort}`; what is skipped then differs from the template."


def _command(action: str, stack_name: str, region: str) -> str:
    return f"aws cloudformation {action} {shlex.join(['--stack-name', stack_name, '--region', region])}"


def _name_to_skip(failure: Failure, stack_name: str) -> str:
    """A nested stack's resource goes by that stack's name, too."""
    is_own = failure.stack_name in ("", stack_name)
    return failure.logical_id if is_own else f"{failure.stack_name}.{failure.logical_id}"
