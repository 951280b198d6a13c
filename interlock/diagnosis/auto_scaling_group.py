"""An Auto Scaling group that does not fill: why its last instances were not started, or not kept."""

from collections.abc import Iterator

from interlock.diagnosis.aws import Aws
from interlock.diagnosis.findings import finding
from interlock.models.finding import Finding, Suspect

_ACTIVITIES = 4


def activities(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    if suspect.physical_id:
        which = {"AutoScalingGroupName": suspect.physical_id, "MaxRecords": _ACTIVITIES}
        for each in aws.ask("autoscaling", "describe_scaling_activities", **which)["Activities"]:
            why = each.get("StatusMessage") or each.get("Description") or ""
            yield finding(f"Auto Scaling: {each.get('StatusCode', '')}: {why}")
