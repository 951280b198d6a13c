"""The DynamoDB table: one for everything, on-demand, with a sparse index and an expiry."""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from interlock.errors import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef

INDEX: Final = "by_index"
_EXPIRY = "expires"
_ALREADY_THERE = "ResourceInUseException"
_ALREADY_ENABLED = "ValidationException"


def prepare(client: "DynamoDBClient", table: str) -> None:
    _create(client, table)
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    _insist_on_shape(client.describe_table(TableName=table)["Table"])
    _enable_expiry(client, table)


def complaints(client: "DynamoDBClient", table: str) -> list[str]:
    """What the table lacks of what `prepare` makes."""
    description = client.describe_table(TableName=table)["Table"]
    indexes = {index["IndexName"]: index["IndexStatus"] for index in description.get("GlobalSecondaryIndexes", [])}
    found = [] if indexes.get(INDEX) == "ACTIVE" else [f"its index {INDEX} is {indexes.get(INDEX, 'missing')}"]
    if not _has_expiry(client, table):
        found.append("items do not expire (time to live is off)")
    return found


def _has_expiry(client: "DynamoDBClient", table: str) -> bool:
    described = client.describe_time_to_live(TableName=table).get("TimeToLiveDescription", {})
    return described.get("TimeToLiveStatus") in ("ENABLED", "ENABLING")


def _create(client: "DynamoDBClient", table: str) -> None:
    try:
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "ix", "ixsort")
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": INDEX,
                    "KeySchema": [
                        {"AttributeName": "ix", "KeyType": "HASH"},
                        {"AttributeName": "ixsort", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},  # whoever looks here reads the items themselves
                }
            ],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != _ALREADY_THERE:
            raise


def _insist_on_shape(description: "TableDescriptionTypeDef") -> None:
    keys = [key["AttributeName"] for key in description["KeySchema"]]
    indexes = [index["IndexName"] for index in description.get("GlobalSecondaryIndexes", [])]
    if keys != ["pk", "sk"] or INDEX not in indexes:
        raise SettingsError(
            f"The DynamoDB table {description['TableName']} is not an Interlock registry (its keys are {keys}).",
            next_step="Set INTERLOCK_REGISTRY to another table.",
        )


def _enable_expiry(client: "DynamoDBClient", table: str) -> None:
    if _has_expiry(client, table):
        return
    try:
        client.update_time_to_live(TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": _EXPIRY})
    except ClientError as error:  # another setup was faster
        if error.response["Error"]["Code"] != _ALREADY_ENABLED:
            raise
