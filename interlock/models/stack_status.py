"""CloudFormation's stack statuses as questions. Nobody outside this file compares a status string."""

_NEVER_CREATED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"})
_NEEDS_RECOVERY = frozenset({"UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "IMPORT_ROLLBACK_FAILED", "UPDATE_FAILED"})
_SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_ROLLED_BACK = frozenset({"ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})


class StackStatus(str):
    """A status as CloudFormation writes it (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html)."""

    __slots__ = ()

    @property
    def is_in_progress(self) -> bool:
        """An operation runs. `REVIEW_IN_PROGRESS` is none: it is a stack that has only ever had a change set."""
        return self.endswith("_IN_PROGRESS") and self != "REVIEW_IN_PROGRESS"

    @property
    def is_terminal(self) -> bool:
        return not self.endswith("_IN_PROGRESS")

    @property
    def is_success(self) -> bool:
        return self in _SUCCEEDED

    @property
    def is_rolled_back(self) -> bool:
        return self in _ROLLED_BACK

    @property
    def is_rolling_back(self) -> bool:
        return self.is_in_progress and "ROLLBACK" in self

    @property
    def is_cancellable_update(self) -> bool:
        """CancelUpdateStack is possible: a moment later, while it cleans up or rolls back, it is not."""
        return self == "UPDATE_IN_PROGRESS"

    @property
    def is_creation(self) -> bool:
        return self == "CREATE_IN_PROGRESS"

    @property
    def is_failure(self) -> bool:
        return self.endswith("_FAILED")

    @property
    def is_failed_creation(self) -> bool:
        return self == "CREATE_FAILED"

    @property
    def is_failed_update(self) -> bool:
        return self == "UPDATE_FAILED"

    @property
    def is_failed_deletion(self) -> bool:
        return self == "DELETE_FAILED"

    @property
    def is_deletion(self) -> bool:
        return self.startswith("DELETE_")

    @property
    def ends_rollback(self) -> bool:
        """Of a stack: a rollback has ended, well or not, or only its cleanup is left."""
        return "ROLLBACK" in self and (self.is_terminal or self.is_cleanup)

    @property
    def is_failed_update_rollback(self) -> bool:
        """The only status that ContinueUpdateRollback leads out of."""
        return self == "UPDATE_ROLLBACK_FAILED"

    @property
    def is_cleanup(self) -> bool:
        """The outcome is certain; only the removal of replaced resources goes on."""
        return self.endswith("_CLEANUP_IN_PROGRESS")

    @property
    def action(self) -> str:
        """What is, was or failed to be done: CREATE, UPDATE, DELETE, IMPORT..."""
        return self.partition("_")[0]

    @property
    def begins_operation(self) -> bool:
        """The first line that a stack writes of an operation (a rollback is a later chapter of the same one)."""
        return self.is_in_progress and not self.is_rolling_back and not self.is_cleanup

    @property
    def is_gone(self) -> bool:
        return self == "DELETE_COMPLETE"

    @property
    def is_never_created(self) -> bool:
        """The stack never came to exist: it must be recreated, it cannot be updated."""
        return self in _NEVER_CREATED

    @property
    def is_review(self) -> bool:
        return self == "REVIEW_IN_PROGRESS"

    @property
    def needs_recovery(self) -> bool:
        return self in _NEEDS_RECOVERY
