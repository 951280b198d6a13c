"""A reference says where its secret is; what is read is known to the redactor, and what is missing is said at once."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from interlock.errors import CloudFormationUnavailableError, InvalidRequestError, SecretNotReadableError
from interlock.models.environment import Environment
from interlock.secret_values.aws import aws_readers
from interlock.secret_values.reading import Reader, Secrets
from interlock.secret_values.redactor import Redactor
from interlock.secret_values.references import Source, parse, references_in

ENVIRONMENT = Environment(name="staging", stack_name="app", region="us-east-1")
EVERYWHERE = (Source.SECRETS_MANAGER, Source.SSM, Source.PREFECT)
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app-AbCdEf"


@pytest.mark.parametrize(
    ("text", "sources", "name", "key"),
    [
        ("secret:db", EVERYWHERE, "db", None),
        ("secret:app/db", EVERYWHERE, "app/db", None),
        ("secret:app:db", EVERYWHERE, "app:db", None),
        ("secret:secretsmanager:app/db#password", (Source.SECRETS_MANAGER,), "app/db", "password"),
        ("secret:ssm:/app/db:3", (Source.SSM,), "/app/db:3", None),
        ("secret:prefect:db-password", (Source.PREFECT,), "db-password", None),
        (f"secret:{ARN}#a#b", (Source.SECRETS_MANAGER,), ARN, "a#b"),
        ("secret:arn:aws:ssm:us-east-1:1:parameter/x", (Source.SSM,), "arn:aws:ssm:us-east-1:1:parameter/x", None),
    ],
)
def test_a_reference_names_its_source_or_is_looked_for_in_order(
    text: str, sources: tuple[Source, ...], name: str, key: str | None
) -> None:
    found = parse(text)
    assert (found.sources, found.name, found.key) == (sources, name, key)


@pytest.mark.parametrize("text", ["secret:", "secret: ", "secret:ssm:", "secret:#key", "secret:db#"])
def test_a_reference_that_names_nothing_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="reference"):
        parse(text)


def holding(**secrets: str) -> Reader:
    return secrets.get


def read(redactor: Redactor | None = None, **parameters: str) -> dict[str, str]:
    readers: dict[Source, Reader] = {
        Source.SECRETS_MANAGER: holding(
            first="from-secrets-manager", json='{"password": "of-the-member", "port": 54321}'
        ),
        Source.SSM: holding(first="from-ssm", second="from-ssm-too"),
        Source.PREFECT: holding(third="from-prefect", short="abc"),
    }
    return Secrets(ENVIRONMENT, readers, redactor or Redactor()).read(
        references_in(parameters), correlation_id="20260101-x"
    )


def test_a_plain_name_is_taken_from_the_first_source_that_has_it() -> None:
    assert read(A="secret:first", B="secret:second", C="secret:third", D="secret:ssm:first", E="plain") == {
        "A": "from-secrets-manager",
        "B": "from-ssm-too",
        "C": "from-prefect",
        "D": "from-ssm",
    }


def test_a_key_takes_a_member_of_a_json_secret() -> None:
    assert read(A="secret:json#password", B="secret:json#port") == {"A": "of-the-member", "B": "54321"}


def test_what_is_read_is_known_to_the_redactor() -> None:
    redactor = Redactor()
    read(redactor, A="secret:first", B="secret:json#port")
    assert redactor.redact("from-secrets-manager of-the-member 54321") == "**** **** ****"


def test_all_missing_secrets_are_said_at_once_with_reference_environment_and_correlation_id() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read(A="secret:none", B="secret:ssm:none", C="secret:first#x", D="secret:short", E="secret:first")
    assert caught.value.exit_code == 5
    first, second, third, fourth = caught.value.problems
    assert "parameters/A: `secret:none`" in first
    assert "Secrets Manager, SSM Parameter Store or Prefect's Secret blocks (us-east-1)" in first
    assert "`secret:ssm:none`" in second
    assert "JSON object" in third
    assert "4 characters" in fourth
    for word in ("staging", "20260101-x", "Nothing was changed"):
        assert word in str(caught.value)


def test_a_source_that_refuses_is_not_passed_over() -> None:
    def denied(_name: str) -> str | None:
        raise SecretNotReadableError("no")

    readers: dict[Source, Reader] = {Source.SECRETS_MANAGER: denied, Source.SSM: holding(a="of another source")}
    with pytest.raises(SecretNotReadableError):
        Secrets(ENVIRONMENT, readers, Redactor()).read(references_in({"A": "secret:a"}))


def stubbed(service: str, prepare: Callable[[Stubber], object]) -> dict[Source, Reader]:
    client: Any = boto3.client(
        service,  # type: ignore[call-overload]  # of two services
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    stub = Stubber(client)
    prepare(stub)
    stub.activate()
    return aws_readers(ENVIRONMENT, lambda _service: client)


def test_secrets_manager_is_asked_by_the_name() -> None:
    answer = {"SecretString": "a value"}
    readers = stubbed("secretsmanager", lambda stub: stub.add_response("get_secret_value", answer, {"SecretId": ARN}))
    assert readers[Source.SECRETS_MANAGER](ARN) == "a value"


def test_the_parameter_store_is_asked_for_the_decrypted_value() -> None:
    answer = {"Parameter": {"Value": "a value"}}
    asked = {"Name": "/app", "WithDecryption": True}
    assert (
        stubbed("ssm", lambda stub: stub.add_response("get_parameter", answer, asked))[Source.SSM]("/app") == "a value"
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
        ("ValidationException", "Invalid name."),
        (
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        ),
    ],
)
def test_no_such_secret_is_none(code: str, message: str) -> None:
    readers = stubbed("secretsmanager", lambda stub: stub.add_client_error("get_secret_value", code, message))
    assert readers[Source.SECRETS_MANAGER]("app") is None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDeniedException", 400, SecretNotReadableError),
        ("DecryptionFailure", 400, SecretNotReadableError),
        ("ThrottlingException", 400, CloudFormationUnavailableError),
        ("InternalServiceError", 500, CloudFormationUnavailableError),
    ],
)
def test_no_permission_ends_the_deployment_and_an_outage_does_not(
    code: str, status: int, kind: type[Exception]
) -> None:
    readers = stubbed(
        "secretsmanager", lambda stub: stub.add_client_error("get_secret_value", code, "no", http_status_code=status)
    )
    with pytest.raises(kind) as caught:
        readers[Source.SECRETS_MANAGER]("app")
    assert "staging" in str(caught.value)


def test_a_binary_secret_is_explained() -> None:
    answer = {"SecretBinary": b"x"}
    readers = stubbed("secretsmanager", lambda stub: stub.add_response("get_secret_value", answer))
    with pytest.raises(SecretNotReadableError, match="binary"):
        readers[Source.SECRETS_MANAGER]("app")
