"""What resources of a type normally need: a prior for a cold start, no more."""

import csv
from functools import cache
from importlib.resources import files

from interlock.models.base import Value

_CUSTOM_RESOURCE = "AWS::CloudFormation::CustomResource"


class Normal(Value):
    """Seconds that resources of one type normally take, and may go without an event (None: no longer than others)."""

    create_seconds: float = 15
    update_seconds: float = 10
    silent_seconds: float | None = None

    def seconds_of(self, status: str | None) -> float:
        return self.update_seconds if (status or "").startswith("UPDATE") else self.create_seconds


def normal_of(resource_type: str) -> Normal:
    known = _CUSTOM_RESOURCE if resource_type.startswith("Custom::") else resource_type
    return _table().get(known, _UNKNOWN)


_UNKNOWN = Normal()


@cache
def _table() -> dict[str, Normal]:
    text = files("interlock.monitoring").joinpath("resource_seconds.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row.pop("resource_type"): Normal.model_validate({k: v for k, v in row.items() if v}) for row in rows}
