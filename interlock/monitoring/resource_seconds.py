"""What resources of a type normally need: a prior for a cold start, no more."""

import csv
from functools import cache
from importlib.resources import files

from interlock.models.base import Value

_CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"


class Normal(Value):
    """Seconds that resources of one type normally take, and may go without an event (None: no longer than others).

    `p90_seconds` and `update_p90_seconds` are what one in ten exceeds, where the average hides it; `ceiling_seconds` is
    where AWS gives up. The seconds of a type without a line in the table are the geometric means of the thousand types
    that the table's source (rain) has beside it; half of those take 2 s to create and 1 s to update, a few take minutes.
    """

    create_seconds: float = 4
    update_seconds: float = 2
    p90_seconds: float | None = None
    update_p90_seconds: float | None = None
    ceiling_seconds: float | None = None
    silent_seconds: float | None = None

    def seconds_of(self, status: str | None) -> float:
        return self.update_seconds if (status or "").startswith("UPDATE") else self.create_seconds


def normal_of(resource_type: str) -> Normal:
    return _table().get(_row_of(resource_type), _UNKNOWN)


def is_in_table(resource_type: str) -> bool:
    return _row_of(resource_type) in _table()


def _row_of(resource_type: str) -> str:
    return _CUSTOM_RESOURCE if resource_type.startswith("Custom::") else resource_type


_UNKNOWN = Normal()


@cache
def _table() -> dict[str, Normal]:
    text = files("interlock.monitoring").joinpath("resource_seconds.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row.pop("resource_type"): Normal.model_validate({k: v for k, v in row.items() if v}) for row in rows}
