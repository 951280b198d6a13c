"""Whoever carries on for a dead process knows its secrets again, or tells nothing that AWS says."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import Mock
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun

from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.requests import CheckedRequest
from interlock.cloudformation.templates import Template
from interlock.errors import InvalidRequestError
from interlock.models.deployment import Deployment
from interlock.settings import Settings
from interlock.wiring import Installation
from tasks import secret_values
from tests.unit.registry.kit import deployment

TEMPLATE = (
    "Parameters:\n  Pw: {Type: String, NoEcho: true, Default: the-default}\n  Token: {Type: String}\n"
    "Resources: {T: {Type: AWS::SNS::Topic}}\n"
)
REASON = "the-default of-the-block token-in-plain is wrong"


class FakePrefect:
    def __init__(self, parameters: dict[str, Any] | None) -> None:
        self.parameters = parameters

    def read_flow_run(self, _run_id: object) -> FlowRun:
        if self.parameters is None:
            raise httpx.ConnectError("away")
        return FlowRun(flow_id=uuid4(), parameters=self.parameters)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        return None


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    path = tmp_path / "environments.toml"
    path.write_text('[environments.staging]\nstack_name = "app"\nregion = "eu-west-1"\n', encoding="utf-8")
    installation = Installation(Settings(environments=path))
    answer = {
        "StackName": "app",
        "StackId": "1",
        "StackStatus": "UPDATE_ROLLBACK_COMPLETE",
        "StackStatusReason": REASON,
    }
    aws: Any = Mock()
    aws.describe_stacks.return_value = {"Stacks": [answer]}
    gateway = CloudFormation(aws, environment="staging", redact=installation.redactor.redact)
    installation.replace_cloudformation(installation.environment("staging"), gateway)
    monkeypatch.setattr(secret_values, "installation", lambda: installation)
    monkeypatch.setattr(secret_values, "_prefect_block", {"db": "of-the-block"}.get)
    return installation


def prefect_has(monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any] | None) -> None:
    monkeypatch.setattr(secret_values, "client", lambda: FakePrefect(parameters))


def asked(**parameters: str) -> dict[str, Any]:
    return {"environment": "staging", "template": TEMPLATE, "parameters": parameters, "tags": None}


def one(*, has_secrets: bool = True) -> Deployment:
    return deployment(flow_run_id=str(uuid4())).model_copy(update={"has_secrets": has_secrets})


def reason_seen(gateway: CloudFormation) -> str | None:
    stack = gateway.stack("app")
    assert stack is not None
    return stack.status_reason


@pytest.mark.usefixtures("here")
def test_secrets_are_learnt_again_from_the_runs_own_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    prefect_has(monkeypatch, asked(Pw="secret:prefect:db", Token="token-in-plain"))
    assert reason_seen(secret_values.gateway_to_settle(one())) == "**** **** **** is wrong"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "parameters",
    [None, asked(Pw="secret:prefect:gone"), {**asked(), "template": "/not/here"}, {**asked(), "template": "no: [yaml"}],
)
def test_what_cannot_be_learnt_again_is_withheld(
    monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any] | None
) -> None:
    prefect_has(monkeypatch, parameters)
    assert reason_seen(secret_values.gateway_to_settle(one())) == secret_values.WITHHELD


@pytest.mark.usefixtures("here")
def test_without_secrets_nobody_is_asked_and_nothing_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    prefect_has(monkeypatch, None)
    assert reason_seen(secret_values.gateway_to_settle(one(has_secrets=False))) == REASON


def test_an_adopter_sees_the_stack_through_what_it_knows(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    prefect_has(monkeypatch, None)
    secret_values.know_secrets_again(one())
    assert reason_seen(here.cloudformation(here.environment("staging"))) == secret_values.WITHHELD


@pytest.mark.usefixtures("here")
def test_the_change_set_gets_the_value_and_the_request_keeps_the_reference() -> None:
    request = CheckedRequest(
        template=Template(body=TEMPLATE),
        parameters={"Pw": "secret:prefect:db", "Token": "x"},
        shown_parameters={},
        capabilities=(),
        tags={},
    )
    assert secret_values.with_secrets(one(), request).parameters == {"Pw": "of-the-block", "Token": "x"}
    assert request.parameters["Pw"] == "secret:prefect:db"
    missing = request.model_copy(update={"parameters": {"Pw": "secret:prefect:none"}})
    with pytest.raises(InvalidRequestError, match="secret:prefect:none"):
        secret_values.with_secrets(one(), missing)
