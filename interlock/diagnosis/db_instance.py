"""A database instance that takes long: what RDS says it is doing."""

from collections.abc import Iterator

from interlock.diagnosis.aws import Aws
from interlock.diagnosis.findings import finding
from interlock.models.finding import Finding, Suspect

_MINUTES = 180
_EVENTS = 3


def status(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    if suspect.physical_id:
        answer = aws.ask("rds", "describe_db_instances", DBInstanceIdentifier=suspect.physical_id)
        for each in answer["DBInstances"]:
            yield finding(f"RDS: {suspect.physical_id} is {each.get('DBInstanceStatus', 'in an unknown status')}.")


def events(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    if suspect.physical_id:
        which = {"SourceIdentifier": suspect.physical_id, "SourceType": "db-instance", "Duration": _MINUTES}
        for event in aws.ask("rds", "describe_events", **which)["Events"][-_EVENTS:]:
            yield finding(f"RDS: {event.get('Message', '')}")
