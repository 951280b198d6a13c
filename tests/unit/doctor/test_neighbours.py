"""What the doctor says of the registry, of Slack and of AWS."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import boto3
import pytest
from moto import mock_aws

from interlock.cloudformation import clients
from interlock.doctor import aws, places, registry, slack
from interlock.doctor.findings import Level
from interlock.errors import CloudFormationRefusedError, SettingsError, SlackRefusedError
from interlock.notifications.slack import Slack, SlackIdentity
from interlock.registry import open_registry
from interlock.registry.dynamodb import DynamoDbStore
from interlock.registry.sqlite import SqliteStore
from tests.unit.doctor.kit import PRODUCTION, STAGING

AWS_ENVIRON = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.fixture
def simulated_aws() -> Iterator[None]:
    with patch.dict(os.environ, AWS_ENVIRON), mock_aws():
        yield


def bot(*, scopes: frozenset[str] | None = None, channels: Any = None) -> Slack:
    fake = Mock(spec=Slack)
    fake.identity.return_value = SlackIdentity("Team", "interlock", scopes)
    fake.channels.side_effect = channels if isinstance(channels, Exception) else None
    fake.channels.return_value = channels
    return fake


def test_a_registry_takes_a_probe_and_keeps_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    open_registry(url)
    assert registry.writable(url).level is Level.OK
    store = SqliteStore(tmp_path / "registry.db")
    with store._connection() as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_no_registry_is_made_by_looking_for_one(tmp_path: Path) -> None:
    verdict = registry.writable(f"sqlite:///{tmp_path / 'none.db'}")
    assert verdict.level is Level.PROBLEM
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_registry_is_told_by_the_registrys_own_error(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    file.write_text("somebody's notes " * 100)
    with pytest.raises(SettingsError, match="not an Interlock registry"):
        registry.writable(f"sqlite:///{file}")


def test_a_table_without_expiry_is_a_problem_and_a_whole_one_is_not(simulated_aws: None) -> None:  # noqa: ARG001 - the fixture is the place
    url = "dynamodb://interlock?region=eu-west-1"
    store = DynamoDbStore("interlock", "eu-west-1")
    store.prepare()
    assert registry.table(url).level is Level.OK
    assert registry.writable(url).level is Level.OK
    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.update_time_to_live(
        TableName="interlock", TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires"}
    )
    verdict = registry.table(url)
    assert (verdict.level, verdict.mend) == (Level.PROBLEM, "Run `interlock setup`.")
    assert "expire" in verdict.seen


def test_without_a_token_the_environments_whose_messages_wait_are_named() -> None:
    assert "staging" in slack.without_token([STAGING, PRODUCTION]).seen
    assert slack.without_token([PRODUCTION]).level is Level.OK


@pytest.mark.parametrize(
    ("scopes", "level"),
    [(None, Level.OK), (frozenset({"chat:write"}), Level.OK), (frozenset({"channels:read"}), Level.PROBLEM)],
)
def test_a_token_that_may_not_post_is_a_problem(scopes: frozenset[str] | None, level: Level) -> None:
    assert slack.token(bot(scopes=scopes)).level is level


@pytest.mark.parametrize(
    ("known", "scopes", "level"),
    [
        ({"#deploys": True}, None, Level.OK),
        ({"#deploys": False}, None, Level.PROBLEM),
        ({"#deploys": False}, frozenset({"chat:write.public"}), Level.OK),
        ({"#general": True}, None, Level.PROBLEM),
        (SlackRefusedError("missing_scope"), None, Level.NOT_CHECKED),
    ],
)
def test_a_channel_is_good_when_the_bot_may_post_there(known: Any, scopes: frozenset[str] | None, level: Level) -> None:
    verdict = slack.channels(bot(scopes=scopes, channels=known), [STAGING, PRODUCTION])
    assert verdict.level is level
    assert level is Level.OK or verdict.mend


@pytest.mark.parametrize(
    ("caller", "role"),
    [
        ("arn:aws:sts::123456789012:assumed-role/worker/session", "arn:aws:iam::123456789012:role/worker"),
        ("arn:aws-cn:sts::123456789012:assumed-role/worker/i-1", "arn:aws-cn:iam::123456789012:role/worker"),
        ("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann"),
        ("arn:aws:iam::123456789012:root", None),
    ],
)
def test_iam_is_asked_about_the_role_behind_a_session(caller: str, role: str | None) -> None:
    assert aws.role_of(caller) == role


class Client:
    """sts and iam in one."""

    def __init__(self, simulation: Any) -> None:
        self._simulation = simulation
        self.asked: dict[str, Any] = {}

    def get_caller_identity(self) -> dict[str, Any]:
        return {"Arn": "arn:aws:sts::123456789012:assumed-role/worker/session"}

    def simulate_principal_policy(self, **asked: Any) -> Any:
        self.asked = asked
        if isinstance(self._simulation, Exception):
            raise self._simulation
        return {"EvaluationResults": self._simulation}


def test_what_iam_would_deny_is_named_with_the_template_that_allows_it() -> None:
    denied = {"EvalActionName": "cloudformation:DeleteStack", "EvalDecision": "implicitDeny"}
    allowed = {"EvalActionName": "cloudformation:DescribeStacks", "EvalDecision": "allowed"}
    client = Client([denied, allowed])
    with patch.object(aws, "_client", return_value=client):
        verdict = aws.permissions(STAGING)
    assert verdict.level is Level.PROBLEM
    assert "may not cloudformation:DeleteStack on app-staging" in verdict.seen
    assert "worker-role.yaml" in (verdict.mend or "")
    assert client.asked["ResourceArns"] == ["arn:aws:cloudformation:eu-west-1:123456789012:stack/app-staging/*"]


def test_without_the_right_to_ask_iam_it_is_said_that_nothing_was_checked() -> None:
    refusal = CloudFormationRefusedError("no", code="AccessDenied")
    with patch.object(aws, "_client", return_value=Client(refusal)):
        assert aws.permissions(STAGING).level is Level.NOT_CHECKED


def test_a_bucket_without_versions_a_warning_and_none_at_all_a_problem(simulated_aws: None) -> None:  # noqa: ARG001 - the fixture is the place
    assert places.template_bucket("missing/prefix").level is Level.PROBLEM
    client = boto3.client("s3", region_name="eu-west-1")
    client.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert places.template_bucket("templates/prefix").level is Level.WARNING
    client.put_bucket_versioning(Bucket="templates", VersioningConfiguration={"Status": "Enabled"})
    assert places.template_bucket("templates").level is Level.OK


@pytest.mark.parametrize(("groups", "level"), [(["/interlock"], Level.OK), (["/interlock-2"], Level.PROBLEM)])
def test_a_log_group_is_there_by_its_whole_name(groups: list[str], level: Level) -> None:
    client = Mock()
    client.describe_log_groups.return_value = {"logGroups": [{"logGroupName": name} for name in groups]}
    with patch.object(clients, "own_client", return_value=client):
        assert places.log_group("/interlock").level is level


def test_what_is_not_set_is_no_problem() -> None:
    assert places.template_bucket(None).level is places.log_group(None).level is Level.OK
