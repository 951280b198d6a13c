"""MiniStack's services behind the same port: what the registry and the deployments need of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import client

TABLE = "registry"


@pytest.fixture(scope="module")
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws() as running:
        yield running


@pytest.fixture(scope="module")
def dynamodb(aws: RehearsalAws) -> Any:
    dynamodb = client(aws, "dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "status")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-status",
                "KeySchema": [
                    {"AttributeName": "status", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return dynamodb


def item(pk: str, sk: str = "0", **more: str) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **more}.items()}


def test_a_transaction_says_which_of_its_conditions_failed(dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("held", owner="somebody"))
    condition = {"TableName": TABLE, "ConditionExpression": "attribute_not_exists(pk)"}
    old = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    with pytest.raises(ClientError) as error:
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {**condition, "Item": item("fresh")}},
                {"Put": {**condition, "Item": item("held"), **old}},
            ]
        )
    answer: Any = error.value.response
    reasons = answer["CancellationReasons"]
    assert answer["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"]["owner"] == {"S": "somebody"}
    assert "Item" not in dynamodb.get_item(TableName=TABLE, Key=item("fresh"))


def test_a_refused_conditional_put_shows_the_item_in_its_way(dynamodb: Any) -> None:
    dynamodb.put_item(TableName=TABLE, Item=item("mine", owner="me"))
    with pytest.raises(ClientError) as error:
        dynamodb.put_item(
            TableName=TABLE,
            Item=item("mine"),
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "ConditionalCheckFailedException"
    assert answer["Item"]["owner"] == {"S": "me"}


def test_time_to_live_and_index_queries_work(dynamodb: Any) -> None:
    dynamodb.update_time_to_live(TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})
    assert dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]["AttributeName"] == "expires"
    for number in range(3):
        dynamodb.put_item(TableName=TABLE, Item=item(f"d{number}", str(number), status="QUEUED"))
    found = dynamodb.query(
        TableName=TABLE,
        IndexName="by-status",
        KeyConditionExpression="#s = :q AND sk > :z",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":q": {"S": "QUEUED"}, ":z": {"S": "0"}},
        ScanIndexForward=False,
    )
    assert [row["pk"]["S"] for row in found["Items"]] == ["d2", "d1"]


def test_a_role_can_be_assumed(aws: RehearsalAws) -> None:
    sts = client(aws, "sts")
    assert sts.get_caller_identity()["Account"] == "000000000000"
    assumed = sts.assume_role(RoleArn="arn:aws:iam::123456789012:role/deployer", RoleSessionName="session")[
        "Credentials"
    ]
    assert assumed["AccessKeyId"].startswith("ASIA")


def test_a_template_can_lie_in_s3(aws: RehearsalAws) -> None:
    s3, cloudformation = client(aws, "s3"), client(aws, "cloudformation")
    s3.create_bucket(Bucket="deployments")
    s3.put_object(Bucket="deployments", Key="dir/t.yaml", Body=b"Resources: {Topic: {Type: 'AWS::SNS::Topic'}}")
    for url in (f"{aws.url}/deployments/dir/t.yaml", "https://deployments.s3.amazonaws.com/dir/t.yaml"):
        summary = cloudformation.get_template_summary(TemplateURL=url)
        assert summary["ResourceTypes"] == ["AWS::SNS::Topic"]
    with pytest.raises(ClientError, match="S3 error"):
        cloudformation.validate_template(TemplateURL=f"{aws.url}/deployments/absent.yaml")


def test_the_other_services_answer(aws: RehearsalAws) -> None:
    client(aws, "s3").create_bucket(Bucket="templates")
    client(aws, "s3").put_object(Bucket="templates", Key="a.yaml", Body=b"text")
    assert client(aws, "s3").head_object(Bucket="templates", Key="a.yaml")["ContentLength"] == 4
    assert client(aws, "s3").get_object(Bucket="templates", Key="a.yaml")["Body"].read() == b"text"
    client(aws, "ssm").put_parameter(Name="/a/b", Value="v", Type="String")
    assert client(aws, "ssm").get_parameter(Name="/a/b")["Parameter"]["Value"] == "v"
    client(aws, "secretsmanager").create_secret(Name="token", SecretString="x")
    assert client(aws, "secretsmanager").get_secret_value(SecretId="token")["SecretString"] == "x"
    client(aws, "logs").create_log_group(logGroupName="/interlock")
    assert client(aws, "logs").describe_log_groups()["logGroups"][0]["logGroupName"] == "/interlock"
