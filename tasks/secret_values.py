"""The secrets of a deployment: read when its turn has come, and known again by whoever carries on for a dead process."""

import json
from typing import Any
from uuid import UUID

from prefect.blocks.system import Secret

from interlock.cloudformation import parameters
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.lint import template_of
from interlock.cloudformation.requests import CheckedRequest
from interlock.commands.request import secrets_without_template
from interlock.errors import InterlockError
from interlock.models.deployment import Deployment
from interlock.models.request import DeploymentRequest
from interlock.secret_values.references import references_in
from interlock.wiring import installation
from tasks.prefect_side import UNREACHABLE, client
from tasks.run_log import run_log
from tasks.validate import load_template

WITHHELD = "(withheld: it may quote a secret that only the deployment's dead process knew; see the AWS console)"


def with_secrets(deployment: Deployment, request: CheckedRequest) -> CheckedRequest:
    """The request with the secrets that it refers to, for the change set alone: never returned from a task, never kept.

    Raises:
        InvalidRequestError: some do not exist or cannot be used.
        SecretNotReadableError: one may not be read.
    """
    here = installation()
    references = references_in(request.parameters)
    if not references:
        return request
    secrets = here.secrets(here.environment_of(deployment), prefect_blocks=_prefect_block)
    values = secrets.read(references, correlation_id=deployment.correlation_id)
    told = ", ".join(f"{name} ({reference.text})" for name, reference in references.items())
    run_log().info("Secrets read: %s.", told)
    return request.model_copy(update={"parameters": {**request.parameters, **values}})


def know_secrets_again(deployment: Deployment) -> None:
    """For an adopter, whose predecessor alone knew them: learn them again, or withhold what AWS says."""
    here = installation()
    environment = here.environment_of(deployment)
    here.replace_cloudformation(environment, gateway_to_settle(deployment))


def gateway_to_settle(deployment: Deployment) -> CloudFormation:
    """CloudFormation, to look at another process's deployment: its secrets are known, or its free text is withheld."""
    here = installation()
    gateway = here.cloudformation(here.environment_of(deployment))
    if not deployment.has_secrets or _learn_again(deployment):
        return gateway
    return gateway.withholding(WITHHELD)


def _learn_again(deployment: Deployment) -> bool:
    """From the run's own parameters. Whether all of it is known now: what is missing must not be guessed at."""
    try:
        with client() as prefect:
            asked = prefect.read_flow_run(UUID(deployment.flow_run_id or "")).parameters
        _learn(deployment, DeploymentRequest.model_validate({k: v for k, v in asked.items() if v is not None}))
    except (*UNREACHABLE, InterlockError, ValueError) as error:
        run_log().warning("The secrets of %s are not known here: %s", deployment.correlation_id, type(error).__name__)
        return False
    return True


def _learn(deployment: Deployment, request: DeploymentRequest) -> None:
    here = installation()
    environment, request = here.environment_of(deployment), request.of_stack(deployment.stack_name)
    if not request.template.strip():  # a command's, that has its template itself
        here.redactor.learn(secrets_without_template(request, environment))
        return
    declared = parameters.declared_in(template_of(load_template(here, request).body))
    effective = parameters.effective_parameters(
        declared, environment=environment.parameters, request=request.parameters
    )
    here.redactor.learn(parameters.secret_values(declared, effective))
    here.secrets(environment, prefect_blocks=_prefect_block).read(references_in(effective))


def _prefect_block(name: str) -> str | None:
    """A Prefect Secret block's text; one that holds JSON is given as JSON."""
    try:
        block: Any = Secret.load(name)  # typed as if it might be awaited
    except ValueError as error:
        if "Unable to find block" in str(error):
            return None
        raise
    # Not `get()`: it reads "007" or "1e5" as a number.
    value = block.value.get_secret_value()
    return value if isinstance(value, str) else json.dumps(value)
