"""Clients: whose rights, how patient, and how light to import."""

import os
import subprocess
import sys
from typing import Any
from unittest.mock import Mock, patch

import boto3
import pytest
from moto import mock_aws

from interlock.cloudformation import clients
from interlock.errors import AwsCredentialsError
from interlock.models.environment import Environment

ENVIRONMENT = Environment(name="staging", stack_name="app", region="eu-west-1")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
NO_CREDENTIALS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def test_only_reads_are_repeated_by_botocore_itself() -> None:
    with patch.dict(os.environ, CREDENTIALS):
        gateway = clients.cloudformation(ENVIRONMENT)
    configs: list[Any] = [gateway._client.meta.config, gateway._changing_client.meta.config]
    reading, changing = configs
    assert reading.retries == {"mode": "standard", "total_max_attempts": 4}
    assert changing.retries == {"mode": "standard", "total_max_attempts": 1}
    assert "interlock" in reading.user_agent_extra
    assert gateway._client.meta.region_name == "eu-west-1"


@mock_aws  # type: ignore[untyped-decorator]
def test_an_environments_role_is_assumed_with_credentials_that_renew_themselves() -> None:
    with patch.dict(os.environ, CREDENTIALS):
        of = ENVIRONMENT.model_copy(update={"role_arn": "arn:aws:iam::123456789012:role/deployer"})
        session = clients.session(of)
        caller = session.client("sts").get_caller_identity()["Arn"]
        credentials = session.get_credentials()
    assert caller == "arn:aws:sts::123456789012:assumed-role/deployer/interlock-staging"
    assert type(credentials).__name__ == "DeferredRefreshableCredentials"


@mock_aws  # type: ignore[untyped-decorator]
def test_another_program_gets_the_roles_credentials_as_variables_and_none_without_a_role() -> None:
    with patch.dict(os.environ, CREDENTIALS):
        of = ENVIRONMENT.model_copy(update={"role_arn": "arn:aws:iam::123456789012:role/deployer"})
        given = clients.role_variables(of)
        assert clients.role_variables(ENVIRONMENT) is None
    assert given is not None
    with patch.dict(os.environ, given):
        # A session of its own: boto3's default one remembers the credentials of another test.
        caller = boto3.Session().client("sts", region_name="eu-west-1").get_caller_identity()["Arn"]
    assert caller == "arn:aws:sts::123456789012:assumed-role/deployer/interlock-staging"


def test_without_credentials_it_is_said_what_to_do() -> None:
    keep = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    with patch.dict(os.environ, keep | NO_CREDENTIALS, clear=True), pytest.raises(AwsCredentialsError) as caught:
        clients.cloudformation(ENVIRONMENT).stack("app")
    assert caught.value.next_step


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    names = ["clients", "gateway", "change_sets", "requests", "templates", "lint", "failures"]
    imports = "; ".join(f"import interlock.cloudformation.{name}" for name in names)
    heavy = "{'boto3', 'botocore', 'cfnlint', 'httpx'}"
    code = f"{imports}; import interlock.monitoring.watcher, sys; print({heavy} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_a_session_is_made_once_for_both_clients() -> None:
    session = Mock(spec=boto3.Session)
    with patch.object(clients, "session", return_value=session) as made:
        clients.cloudformation(ENVIRONMENT)
    made.assert_called_once()
    assert session.client.call_count == 2
