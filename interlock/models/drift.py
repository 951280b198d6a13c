"""What was changed by hand, beside CloudFormation: how resources differ from what the stack's template made of them."""

from collections.abc import Callable
from typing import Self

from interlock.models.base import Value
from interlock.secret_values.redactor import MASK


class PropertyDrift(Value):
    """One property by its path (`/DelaySeconds`); `kind` is NOT_EQUAL, ADD or REMOVE. Values that may be secret are masked."""

    path: str
    expected: str
    actual: str
    kind: str


class ResourceDrift(Value):
    """A resource that was changed, or is no longer there."""

    logical_id: str
    resource_type: str
    is_deleted: bool
    properties: tuple[PropertyDrift, ...] = ()

    def masked(self, is_secret: Callable[[PropertyDrift], bool]) -> Self:
        """Without the values of those properties."""
        hidden = {"expected": MASK, "actual": MASK}
        properties = [each.model_copy(update=hidden) if is_secret(each) else each for each in self.properties]
        return self.model_copy(update={"properties": tuple(properties)})

    @property
    def in_words(self) -> str:
        if self.is_deleted:
            return f"{self.logical_id} ({self.resource_type}) is gone"
        paths = ", ".join(each.path for each in self.properties)
        return f"{self.logical_id} ({self.resource_type}) differs{f' in {paths}' if paths else ''}"


class DriftDetection(Value):
    """How far a detection has come."""

    is_over: bool
    failure: str | None = None
    """Why it did not succeed for every resource."""


class Drift(Value):
    """What is known of a stack's drift. `not_known`: why there may be more than `resources`."""

    resources: tuple[ResourceDrift, ...] = ()
    not_known: str | None = None

    @property
    def in_words(self) -> str:
        count = len(self.resources)
        found = f"{count} resource{'s differ' if count != 1 else ' differs'} from the template" if count else ""
        names = f": {', '.join(each.logical_id for each in self.resources)}." if count else ""
        if self.not_known:
            return f"{found}{names}{' ' if found else ''}Not known{' of all' if found else ''}: {self.not_known}"
        return f"{found}{names}" or "No resource differs from the template."
