"""What all values have in common."""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Instant = AwareDatetime
NonEmpty = Annotated[str, Field(min_length=1)]


class Value(BaseModel):
    """An immutable value; a field that it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")
