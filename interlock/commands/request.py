"""A request to an environment with a command, checked before anything waits for it."""

from collections.abc import Iterator

from interlock.cloudformation import capabilities, parameters, tags
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.lint import template_of
from interlock.cloudformation.requests import CheckedRequest, check_request
from interlock.cloudformation.templates import Template
from interlock.commands.filling import NOT_AS_ARGUMENT, problems_of_request
from interlock.errors import InvalidRequestError
from interlock.models.deployer import TEMPLATE, placeholders
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.secret_values.redactor import Redactor


def check_command_request(
    request: DeploymentRequest,
    environment: Environment,
    template: Template | None,
    gateway: CloudFormation,
    *,
    redactor: Redactor,
) -> CheckedRequest:
    """The request as it is given to the command. A template that is named is validated as for every deployment.

    Raises:
        InvalidRequestError: with every problem, of the request and of its template.
        CloudFormationUnavailableError: ValidateTemplate could not be asked.
    """
    problems = list(problems_of_request(request, environment))
    checked = None
    try:
        checked = _checked(request, environment, template, gateway, redactor)
    except InvalidRequestError as error:
        problems += error.problems
    if problems or checked is None:
        unique = dict.fromkeys(map(redactor.redact, problems))
        raise InvalidRequestError(list(unique), environment=environment.name)
    warnings = (*checked.warnings, *_warnings(environment, template))
    return checked.model_copy(update={"command": environment.command, "warnings": warnings})


def secrets_without_template(request: DeploymentRequest, environment: Environment) -> Iterator[str]:
    """The values that are secret by the names of their parameters, where no template declares any."""
    for name, value in {**environment.parameters, **request.parameters}.items():
        if value and parameters.looks_secret(name):
            yield value


def _checked(
    request: DeploymentRequest,
    environment: Environment,
    template: Template | None,
    gateway: CloudFormation,
    redactor: Redactor,
) -> CheckedRequest:
    if template is not None:
        checked = check_request(request, environment, template, gateway, redactor=redactor)
        _refuse_plain_secrets(environment, template)
        return checked
    values, names = {**environment.parameters, **request.parameters}, [*environment.capabilities, *request.capabilities]
    labels = {**environment.tags, **request.tags}
    redactor.learn(secrets_without_template(request, environment))
    if problems := [*capabilities.problems({}, names), *tags.problems(labels)]:
        raise InvalidRequestError(problems, environment=environment.name)
    return CheckedRequest(
        template=Template(body=""),
        parameters=values,
        shown_parameters=parameters.masked(values, {}),
        capabilities=capabilities.known(names),
        tags=labels,
        has_secrets=any(map(parameters.looks_secret, values)),
    )


def _refuse_plain_secrets(environment: Environment, template: Template) -> None:
    """For a change set, a `NoEcho` parameter in the environments file is worth a warning; on a command line it is told."""
    declared = parameters.declared_in(template_of(template.body))
    if names := list(parameters.plain_secrets(declared, environment.parameters)):
        problems = [f"parameters/{name}: {NOT_AS_ARGUMENT}" for name in names]
        raise InvalidRequestError(problems, environment=environment.name)


def _warnings(environment: Environment, template: Template | None) -> Iterator[str]:
    if template is not None and TEMPLATE not in placeholders(environment.command):
        yield "it was validated, and is not what is deployed: the environment's command has no {template}."
