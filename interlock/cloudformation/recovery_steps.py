"""What a person does about a stack that no deployment can start from, named exactly: which resources, which command."""

import shlex
from collections.abc import Sequence

from interlock.cloudformation.aws_errors import recovery_of
from interlock.models.environment import Environment
from interlock.models.stack import NESTED_STACK, Failure
from interlock.models.stack_status import StackStatus


def recovery_step(state: StackStatus, environment: Environment, blocking: Sequence[Failure] = ()) -> str:
    """`blocking` is what the rollback failed on."""
    if not state.is_failed_update_rollback:
        return recovery_of(state, environment.name)
    blocked = ", ".join(each.name for each in blocking) or "what blocks the rollback (see the stack's events)"
    recover = f"interlock recover {environment.name}"
    by_hand = shlex.join(["--stack-name", environment.stack_name, "--region", environment.region])
    step = (
        f"Repair {blocked}, then run `{recover}`: it continues the rollback (by hand: `aws cloudformation"
        f" continue-update-rollback {by_hand}`). After UPDATE_ROLLBACK_COMPLETE deploy again."
    )
    skips = [f"--skip {shlex.quote(name_to_skip(each, environment))}" for each in blocking if can_be_skipped(each)]
    if not skips:
        return step
    last_resort = " ".join([recover, *skips])
    return f"{step} If it cannot be repaired: `{last_resort}`; what is skipped then differs from the template."


def can_be_skipped(failure: Failure) -> bool:
    """CloudFormation skips what it could not update back; of a nested stack, only the resources in it."""
    return StackStatus(failure.status).is_failed_update and failure.resource_type != NESTED_STACK


def name_to_skip(failure: Failure, environment: Environment) -> str:
    """As CloudFormation wants it: a nested stack's resource goes by that stack's name, too."""
    is_own = failure.stack_name in ("", environment.stack_name)
    return failure.logical_id if is_own else f"{failure.stack_name}.{failure.logical_id}"
