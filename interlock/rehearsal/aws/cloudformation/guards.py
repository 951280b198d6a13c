"""What a stack's status allows."""

from collections.abc import Collection

from interlock.rehearsal.aws.cloudformation.errors import RefusalError, invalid
from interlock.rehearsal.aws.cloudformation.state import ChangeSet, Stack

_NOT_UPDATABLE = frozenset(
    {
        "CREATE_FAILED",
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "DELETE_COMPLETE",
        "DELETE_FAILED",
        "UPDATE_ROLLBACK_FAILED",
    }
)


def must_be_updatable(stack: Stack) -> None:
    if stack.is_busy or stack.status in _NOT_UPDATABLE:
        raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def must_be_absent(stack: Stack | None, name: str) -> None:
    if stack is not None:
        raise RefusalError("AlreadyExistsException", f"Stack [{name}] already exists")


def must_be_reviewable(stack: Stack | None, change_set_name: str) -> None:
    """A change set of type CREATE needs a stack that does not exist yet, or has only ever had change sets."""
    if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
        raise invalid(
            f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{change_set_name}]."
        )


def must_be_executable(change_set: ChangeSet) -> None:
    if change_set.execution_status == "AVAILABLE":
        return
    kind, status = ("", change_set.status)
    if change_set.status == "CREATE_COMPLETE":
        kind, status = ("execution ", change_set.execution_status)
    message = f"ChangeSet [{change_set.arn}] cannot be executed in its current {kind}status of [{status}]"
    raise RefusalError("InvalidChangeSetStatus", message)


def must_have_failed(skipped: list[str], failed: Collection[str]) -> None:
    """What a continued rollback may skip."""
    if wrong := [name for name in skipped if name not in failed]:
        raise invalid(f"The following resource(s) to skip are not in UPDATE_FAILED state: [{', '.join(wrong)}]")


def must_be_deletable(stack: Stack) -> None:
    if stack.is_protected:
        raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if stack.status.startswith("UPDATE_") and stack.is_busy:
        raise invalid(f"Stack [{stack.stack_id}] cannot be deleted while in status {stack.status}")
