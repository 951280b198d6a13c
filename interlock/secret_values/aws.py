"""Secrets Manager and SSM's parameter store, read with the rights of the environment's role session."""

from collections.abc import Callable
from typing import Any

from interlock.cloudformation.aws_errors import is_denial, translated
from interlock.errors import SecretNotReadableError
from interlock.models.environment import Environment
from interlock.secret_values.reading import Reader
from interlock.secret_values.references import Source

_MISSING = frozenset(
    {"ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound", "ValidationException"}
)
"""The last one: what can be no name there is none."""
_DELETED = "InvalidRequestException"
"""Secrets Manager's answer for a secret that is marked for deletion."""

ClientOf = Callable[[str], Any]
"""A service's name -> a boto3 client of the environment's session."""


def aws_readers(environment: Environment, client_of: ClientOf) -> dict[Source, Reader]:
    def of_secrets_manager(name: str) -> str | None:
        answer = _asked(environment, lambda: client_of("secretsmanager").get_secret_value(SecretId=name))
        return None if answer is None else _text(answer, name, environment)

    def of_parameter_store(name: str) -> str | None:
        answer = _asked(environment, lambda: client_of("ssm").get_parameter(Name=name, WithDecryption=True))
        return None if answer is None else str(answer["Parameter"]["Value"])

    return {Source.SECRETS_MANAGER: of_secrets_manager, Source.SSM: of_parameter_store}


def _asked(environment: Environment, ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """None when there is no such secret.

    Raises:
        SecretNotReadableError: we may not read it.
        CloudFormationUnavailableError, AwsCredentialsError: as every call to AWS.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 (heavy; only those who call AWS pay for it)

    with translated(environment.name):
        try:
            return ask()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _MISSING or (code == _DELETED and "delet" in str(error)):
                return None
            if is_denial(code) or code == "DecryptionFailure":
                raise _denied(error, environment) from error
            raise


def _denied(error: Exception, environment: Environment) -> SecretNotReadableError:
    return SecretNotReadableError(
        f"A secret may not be read: {error}",
        environment=environment.name,
        next_step=(
            "Nothing was changed. Allow secretsmanager:GetSecretValue, ssm:GetParameter and kms:Decrypt for it to the"
            " role that Interlock calls AWS with; or, if it is kept elsewhere, name the source: `secret:ssm:<name>`,"
            " `secret:prefect:<block>`."
        ),
    )


def _text(answer: dict[str, Any], name: str, environment: Environment) -> str:
    if "SecretString" in answer:
        return str(answer["SecretString"])
    raise SecretNotReadableError(
        f"The secret {name} is binary, and a parameter is text.",
        environment=environment.name,
        next_step="Nothing was changed. Store it as text (base64, for example).",
    )
