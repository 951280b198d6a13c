"""What was found out about a resource that is stuck or failed, beyond what CloudFormation says of it."""

from pydantic import Field

from interlock.models.base import Value
from interlock.models.stack import Failure, StackEvent


class Suspect(Value):
    """A resource to look at, as it was when it drew attention."""

    stack_id: str
    logical_id: str
    resource_type: str
    physical_id: str | None = None
    status: str = ""

    @classmethod
    def of(cls, told: StackEvent | Failure) -> "Suspect":
        """The resource that an event, or a failure read from one, speaks of."""
        return cls(
            stack_id=told.stack_id,
            logical_id=told.logical_id,
            resource_type=told.resource_type,
            physical_id=told.physical_id,
            status=told.status,
        )


class Finding(Value):
    """One short line, clean and bounded (see interlock.diagnosis.findings), and where to read on."""

    text: str = Field(max_length=400)
    url: str | None = None
    label: str = "Look"
    """What the link is called where links have names."""

    @property
    def line(self) -> str:
        return f"{self.text} {self.url}" if self.url else self.text
