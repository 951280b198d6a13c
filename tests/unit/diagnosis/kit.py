"""AWS as a diagnosis meets it: boto3's own clients, whose answers botocore checks against AWS's models."""

from collections.abc import Sequence
from typing import Any

import boto3
from botocore.stub import Stubber

from interlock.diagnosis.diagnosis import Diagnosis
from interlock.models.finding import Suspect

STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/app/1"


class FakeAws:
    """Prepare answers in the order of the calls to each service; an unexpected call fails."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._stubbers: dict[str, Stubber] = {}

    def stub(self, service: str) -> Stubber:
        if service not in self._stubbers:
            session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-west-1")
            make: Any = session.client
            self._clients[service] = make(service)
            self._stubbers[service] = Stubber(self._clients[service])
            self._stubbers[service].activate()
        return self._stubbers[service]

    def client(self, service: str) -> Any:
        self.stub(service)
        return self._clients[service]

    def lines(self, *suspects: Suspect) -> list[str]:
        return [each.text for each in Diagnosis(self.client, budget_seconds=30).of(suspects)]

    def links(self, *suspects: Suspect) -> Sequence[str | None]:
        return [each.url for each in Diagnosis(self.client, budget_seconds=30).of(suspects)]

    def assert_all_asked(self) -> None:
        for stubber in self._stubbers.values():
            stubber.assert_no_pending_responses()


def suspect(resource_type: str, physical_id: str | None, *, logical_id: str = "Thing", status: str = "") -> Suspect:
    return Suspect(
        stack_id=STACK_ID, logical_id=logical_id, resource_type=resource_type, physical_id=physical_id, status=status
    )
