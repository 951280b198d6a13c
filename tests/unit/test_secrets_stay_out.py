"""Where AWS's words come in and where records go out, what is known is masked, and names that others compare stay."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from interlock.cloudformation.gateway import CloudFormation
from interlock.errors import CloudFormationRefusedError, InvalidRequestError
from interlock.models.deployment import DeploymentEvent, DeploymentStatus
from interlock.models.notice import Notice, NoticeKind
from interlock.models.outcome import Outcome
from interlock.registry import Registry
from interlock.registry.sqlite import SqliteStore
from interlock.secret_values.redactor import Redactor
from tests.unit.cloudformation.test_gateway import ID, STACK
from tests.unit.cloudformation.test_gateway import event as aws_event
from tests.unit.registry.kit import NOON, FrozenClock, cid, deployment

SECRET = "correct-horse"


@pytest.fixture
def redactor() -> Redactor:
    known = Redactor()
    known.learn([SECRET])
    return known


@pytest.fixture
def aws() -> Iterator[Stubber]:
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    with Stubber(client) as stubber:
        yield stubber


@pytest.fixture
def gateway(aws: Stubber, redactor: Redactor) -> CloudFormation:
    return CloudFormation(cast(Any, aws.client), environment="staging", sleep=lambda _: None, redact=redactor.redact)


def test_outputs_that_hold_or_are_named_like_a_secret_are_masked_and_keep_their_key(
    aws: Stubber, gateway: CloudFormation
) -> None:
    values = {"Url": f"https://app:{SECRET}@host", "ApiToken": "never seen before", "Size": "3"}
    outputs = [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]
    reason = f"because of {SECRET}"
    aws.add_response("describe_stacks", {"Stacks": [{**STACK, "Outputs": outputs, "StackStatusReason": reason}]})
    stack = gateway.stack("app")
    assert stack is not None
    assert stack.outputs == {"Url": "https://app:****@host", "ApiToken": "****", "Size": "3"}
    assert stack.status_reason == "because of ****"


def test_reasons_of_events_are_redacted_and_names_stay(aws: Stubber, gateway: CloudFormation) -> None:
    one = {**aws_event(1, "UPDATE_FAILED", logical_id=SECRET), "ResourceStatusReason": f"{SECRET} is not allowed"}
    aws.add_response("describe_stack_events", {"StackEvents": [one]})
    (event,) = gateway.events(ID)
    assert (event.reason, event.logical_id) == ("**** is not allowed", SECRET)


def test_who_does_not_know_the_secrets_withholds_every_reason_but_no_error(
    aws: Stubber, gateway: CloudFormation
) -> None:
    blind = gateway.withholding("(withheld)")
    one = {**aws_event(1, "UPDATE_FAILED", logical_id="Topic"), "ResourceStatusReason": "unknown-secret is too long"}
    aws.add_response("describe_stack_events", {"StackEvents": [one]})
    assert blind.events(ID)[0].reason == "(withheld)"
    message = "Stack with id app does not exist"
    aws.add_client_error("describe_stacks", "ValidationError", message)
    aws.add_client_error("describe_stacks", "ValidationError", message)
    assert blind.stack("app") is None


def test_an_error_is_redacted_and_its_cause_is_not_shown(aws: Stubber, gateway: CloudFormation) -> None:
    aws.add_client_error("describe_stacks", "ValidationError", f"Parameter 'X' of value {SECRET} is wrong")
    with pytest.raises(CloudFormationRefusedError) as caught:
        gateway.stack("app")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_error_without_a_secret_keeps_its_cause(aws: Stubber, gateway: CloudFormation) -> None:
    aws.add_client_error("describe_stacks", "ValidationError", "wrong")
    with pytest.raises(CloudFormationRefusedError) as caught:
        gateway.stack("app")
    assert caught.value.__cause__ is not None


def test_the_problems_of_a_request_are_redacted_too(redactor: Redactor) -> None:
    error = InvalidRequestError([f"template: {SECRET}"])
    error.retell(redactor.redact)
    assert error.problems == ["template: ****"]
    assert SECRET not in f"{error!r} {error}"


def test_nothing_of_a_record_its_events_or_messages_holds_a_secret(tmp_path: Path, redactor: Redactor) -> None:
    path, clock = tmp_path / "registry.db", FrozenClock()
    store = SqliteStore(path, clock=clock)
    store.prepare()
    registry = Registry(store, clock=clock, redactor=redactor)
    notice = Notice(kind=NoticeKind.FAILED, facts={"error": SECRET, "first_cause": {"reason": [SECRET]}})
    event = DeploymentEvent(timestamp=NOON, event="X", details=f"x {SECRET}")
    registry.deployments.register(deployment(), notices=[notice])
    registry.deployments.record(cid(1), events=[event], notices=[notice], changes={"application_url": SECRET})
    registry.deployments.finish(
        cid(1), DeploymentStatus.FAILED, reason=SECRET, events=[event], changes={"outputs": {"Url": SECRET}}
    )
    found = registry.deployments.get(cid(1))
    assert (found.reason, found.outputs, found.application_url) == ("****", {"Url": "****"}, "****")
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert not [content for content in files if SECRET.encode() in content]


def test_a_secret_that_is_the_name_of_something_breaks_no_record(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.learn(["staging", "FAILED", "failed", cid(1)])
    store = SqliteStore(tmp_path / "registry.db", clock=FrozenClock())
    store.prepare()
    registry = Registry(store, clock=FrozenClock(), redactor=redactor)
    registry.deployments.register(deployment(), notices=[Notice(kind=NoticeKind.FAILED)])
    registry.deployments.finish(cid(1), DeploymentStatus.FAILED)
    found = registry.deployments.get(cid(1))
    assert (found.environment, found.status, found.correlation_id) == ("staging", DeploymentStatus.FAILED, cid(1))


def test_an_outcome_is_told_without_secrets_and_stays_what_it_is(redactor: Redactor) -> None:
    outcome = Outcome(status=DeploymentStatus.FAILED, reason=SECRET, outputs={"A": SECRET}, problems=(SECRET,))
    told = outcome.redacted(redactor.redact)
    assert SECRET not in told.model_dump_json()
    assert (told.status, told.exit_code) == (outcome.status, outcome.exit_code)
