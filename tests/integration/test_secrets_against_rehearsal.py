"""Secrets read from a Secrets Manager and a parameter store over HTTP, deployed, quoted back by AWS, and masked."""

import json
import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from interlock.clock import utc_now
from interlock.cloudformation import change_sets, templates
from interlock.cloudformation.requests import check_request
from interlock.correlation_id import new_correlation_id
from interlock.errors import CloudFormationRefusedError, InvalidRequestError
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.models.stack import StackEvent
from interlock.monitoring.watcher import StackWatcher
from interlock.rehearsal.aws.process import RehearsalAws
from interlock.secret_values.references import references_in
from interlock.settings import Settings
from interlock.wiring import Installation
from tests.acceptance.plants import ASKED_MARK, COUNT, MARK, PLANTS

ENVIRONMENT = Environment(name="staging", stack_name="app", region="us-east-1", parameters=PLANTS.of_the_file)
BLOCKS = {f"planted-{number:02}": value for number, value in enumerate(PLANTS.blocks)}


@pytest.fixture(scope="module")
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0.1, rollback_seconds=0.1) as running, patch.dict(os.environ, running.environment()):
        manager, store = boto3.client("secretsmanager"), boto3.client("ssm")
        for number in range(COUNT):
            text = json.dumps({"user": "app", "password": PLANTS.secrets_manager[number]})
            manager.create_secret(Name=f"planted/{number:02}", SecretString=text)
            value = PLANTS.parameter_store[number]
            store.put_parameter(Name=f"/planted/{number:02}", Value=value, Type="SecureString")
        yield running


@pytest.fixture
def here() -> Installation:
    return Installation(Settings())


def make(here: Installation, *, delay: int) -> Any:
    """The change set, with the secrets in it."""
    gateway, template = here.cloudformation(ENVIRONMENT), templates.load(PLANTS.template(delay=delay))
    request = DeploymentRequest(environment="staging", template=template.body, parameters=PLANTS.request)
    checked = check_request(request, ENVIRONMENT, template, gateway, redactor=here.redactor)
    values = here.secrets(ENVIRONMENT, prefect_blocks=BLOCKS.get).read(references_in(checked.parameters))
    return change_sets.make(
        gateway,
        ENVIRONMENT,
        checked.model_copy(update={"parameters": {**checked.parameters, **values}}),
        stack=gateway.stack("app"),
        correlation_id=new_correlation_id(utc_now()),
        guard=lambda: None,
    )


def deploy(here: Installation, *, delay: int) -> list[StackEvent]:
    gateway, change_set = here.cloudformation(ENVIRONMENT), make(here, delay=delay)
    token = change_set.name.removeprefix("interlock-")
    gateway.execute_change_set(change_set, token=token, guard=lambda: None)
    watcher = StackWatcher(gateway, stack_id=change_set.stack_id, token=token, started_after=utc_now())
    return list(list(watcher.follow())[-1].events)


def test_what_aws_was_given_in_full_it_says_to_us_masked(aws: RehearsalAws, here: Installation) -> None:
    deploy(here, delay=0)
    in_full = {
        each["OutputKey"]: each["OutputValue"]
        for each in boto3.client("cloudformation").describe_stacks(StackName="app")["Stacks"][0]["Outputs"]
    }
    assert all(PLANTS.blocks[number] in in_full[f"Echo{number:02}"] for number in range(COUNT))
    stack = here.cloudformation(ENVIRONMENT).stack("app")
    assert stack is not None
    assert stack.outputs["Echo00"] == "app://**** **** **** **** **** ****"
    assert stack.outputs["NamedPassword00"] == "****"
    assert not has_mark(stack)
    aws.set_rules([{"match": "app/R1", "Fail": PLANTS.quoted}])
    events = deploy(here, delay=1)
    assert any("****, ****" in (event.reason or "") for event in events)
    assert not [event for event in events if has_mark(event)]


def test_a_refusal_that_quotes_them_is_masked(aws: RehearsalAws, here: Installation) -> None:
    fault = {"service": "cloudformation", "action": "CreateChangeSet", "kind": "error", "code": "ValidationError"}
    aws.set_faults([{**fault, "message": PLANTS.quoted, "status": 400}])
    with pytest.raises(CloudFormationRefusedError) as caught:
        make(here, delay=2)
    assert "****, ****" in str(caught.value)
    assert not has_mark(caught.value)


@pytest.mark.parametrize("reference", ["secret:none", "secret:secretsmanager:none", "secret:ssm:/none", "secret:a b"])
@pytest.mark.usefixtures("aws")
def test_what_neither_service_has_is_missing(here: Installation, reference: str) -> None:
    with pytest.raises(InvalidRequestError, match="there is no such secret"):
        here.secrets(ENVIRONMENT, prefect_blocks=BLOCKS.get).read(references_in({"A": reference}))


def has_mark(told: object) -> bool:
    return MARK in repr(told) or ASKED_MARK in repr(told)
