"""A past operation as estimates need it: how long it took, and each of its resources."""

from typing import Final

from interlock.models.base import Value

CREATE: Final = "CREATE"
UPDATE: Final = "UPDATE"
DELETE: Final = "DELETE"
"""What is done to a resource, as its statuses begin."""


class PastResource(Value):
    """What was done to one resource: `start_seconds` after the operation began, for `seconds`."""

    logical_id: str
    resource_type: str
    action: str
    start_seconds: float
    seconds: float

    @property
    def end_seconds(self) -> float:
        return self.start_seconds + self.seconds


class PastOperation(Value):
    """`kind` is CREATE or UPDATE (None: an older record, of which only the duration is known).

    `resources` are those that were completed, rolled back or not. `end_seconds` is how long the stack took from its
    last resource to its own last line; None unless it succeeded.
    """

    kind: str | None = None
    seconds: float
    end_seconds: float | None = None
    resources: tuple[PastResource, ...] = ()
