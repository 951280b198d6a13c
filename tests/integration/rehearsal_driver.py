"""Deploys templates to the simulated AWS as a client would: change set, execution, waiting."""

import json
import time
from typing import Any

import boto3
from botocore.config import Config

from interlock.rehearsal.aws.process import RehearsalAws

Json = dict[str, Any]
CAPABILITIES = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def client(aws: RehearsalAws, service: str, config: Config | None = None) -> Any:
    factory: Any = boto3.client  # the service is a variable here, which the stubs' overloads do not take
    return factory(
        service,
        config=config,
        endpoint_url=aws.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def topics(*names: str, **properties: Json) -> Json:
    """A template of independent topics; `properties` by logical id."""
    return {"Resources": {name: {"Type": "AWS::SNS::Topic", "Properties": properties.get(name, {})} for name in names}}


class Driver:
    def __init__(self, aws: RehearsalAws) -> None:
        self.aws = aws
        self.cloudformation = client(aws, "cloudformation")

    def change_set(
        self, stack: str, template: Json | str, kind: str = "CREATE", name: str = "change", **more: Any
    ) -> Json:
        """Ask for a change set and wait until it is made, or has failed."""
        body = template if isinstance(template, str) else json.dumps(template)
        more.setdefault("Capabilities", CAPABILITIES)
        made = self.cloudformation.create_change_set(
            StackName=stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=body, **more
        )
        while True:
            found: Json = self.cloudformation.describe_change_set(ChangeSetName=made["Id"])
            if found["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return found
            time.sleep(0.02)

    def start(
        self,
        stack: str,
        template: Json | str,
        kind: str = "CREATE",
        name: str = "change",
        token: str | None = None,
        **more: Any,
    ) -> Json:
        made = self.change_set(stack, template, kind, name, **more)
        assert made["Status"] == "CREATE_COMPLETE", made.get("StatusReason")
        self.cloudformation.execute_change_set(
            ChangeSetName=made["ChangeSetId"], **({"ClientRequestToken": token} if token else {})
        )
        return made

    def deploy(self, stack: str, template: Json | str, kind: str = "CREATE", name: str = "change", **more: Any) -> str:
        self.start(stack, template, kind, name, **more)
        return self.finish(stack)

    def finish(self, stack: str, timeout_seconds: float = 30) -> str:
        """The status the stack comes to rest in."""
        until = time.monotonic() + timeout_seconds
        while (status := self.status(stack)).endswith("_IN_PROGRESS"):
            assert time.monotonic() < until, f"{stack} is still {status}"
            time.sleep(0.02)
        return status

    def wait_for_event(self, stack: str, logical_id: str, status: str) -> None:
        until = time.monotonic() + 10
        while not any((event[0], event[1]) == (logical_id, status) for event in self.events(stack)):
            assert time.monotonic() < until, f"no {status} of {logical_id}"
            time.sleep(0.02)

    def stack(self, name: str) -> Json:
        found: Json = self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return found

    def status(self, name: str) -> str:
        return str(self.stack(name)["StackStatus"])

    def raw_events(self, name: str) -> list[Json]:
        """Oldest first, all pages."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def events(self, name: str) -> list[tuple[str, str, str]]:
        return [
            (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in self.raw_events(name)
        ]

    def statuses(self, name: str) -> list[tuple[str, str]]:
        return [(logical_id, status) for logical_id, status, _ in self.events(name)]
