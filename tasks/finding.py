"""What a sweep found."""

from interlock.models.base import Value


class Finding(Value):
    """One thing that the sweep found, and what it did about it."""

    environment: str
    correlation_id: str | None = None
    found: str
    done: str
    is_left: bool = False
    """Nothing was done about it: it is left to a later sweep, or to a person. Nobody is told of it again and again."""
