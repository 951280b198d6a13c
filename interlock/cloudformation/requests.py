"""A request checked before anything waits for it: all its problems at once, or what a deployment needs of it."""

from collections.abc import Iterator, Mapping

from pydantic import Field

from interlock.cloudformation import capabilities, parameters, tags
from interlock.cloudformation.dependencies import dependencies_in
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.lint import Findings, lint
from interlock.cloudformation.templates import INLINE_BYTES, Template
from interlock.errors import CloudFormationRefusedError, InvalidRequestError
from interlock.models.base import Value
from interlock.models.environment import Capability, Environment
from interlock.models.request import DeploymentRequest
from interlock.secret_values.redactor import Redactor
from interlock.secret_values.references import references_in


class CheckedRequest(Value):
    """What is passed to CloudFormation, with nothing known to be wrong about it."""

    template: Template = Field(repr=False)
    parameters: dict[str, str] = Field(repr=False)
    """The effective ones; they may be secret: show `shown_parameters`. `secret:` references are not read yet."""
    shown_parameters: dict[str, str]
    capabilities: tuple[Capability, ...]
    tags: dict[str, str]
    dependencies: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Which resource needs which others."""
    command: tuple[str, ...] = ()
    """The environment's own command, which deploys it; empty: a change set does."""
    warnings: tuple[str, ...] = ()
    has_secrets: bool = False
    """Whether any parameter is secret, whatever its value: AWS may quote it."""


def check_request(
    request: DeploymentRequest,
    environment: Environment,
    template: Template,
    gateway: CloudFormation | None = None,
    *,
    redactor: Redactor | None = None,
    takes_what_it_declares: bool = False,
) -> CheckedRequest:
    """The request joined with its environment: the request's parameters and tags win, capabilities are united.

    Parameters of the environment that the template does not declare are silently left out; of the request, they are a
    problem, unless it `takes_what_it_declares`: another stack's template may declare the rest. With a gateway,
    CloudFormation's own ValidateTemplate has its say too. The redactor learns the secret values of template and request
    before anybody is asked who could quote them.

    Raises:
        InvalidRequestError: with every problem, each with its path; no value of a parameter is quoted.
        CloudFormationUnavailableError: ValidateTemplate could not be asked.
    """
    redactor = redactor or Redactor()
    findings = lint(template.body, environment.region)
    declared = parameters.declared_in(findings.template or {})
    if takes_what_it_declares:
        own = {name: value for name, value in request.parameters.items() if name in declared}
        request = request.model_copy(update={"parameters": own})
    effective = parameters.effective_parameters(
        declared, environment=environment.parameters, request=request.parameters
    )
    redactor.learn(parameters.secret_values(declared, effective))
    found = [*_problems(request, environment, template, findings), *_refusal(template, findings, gateway)]
    if found:
        problems = dict.fromkeys(map(redactor.redact, found))
        raise InvalidRequestError(list(problems), environment=environment.name)
    return CheckedRequest(
        template=template,
        parameters=effective,
        shown_parameters=parameters.masked(effective, declared),
        capabilities=capabilities.known([*environment.capabilities, *request.capabilities]),
        tags={**environment.tags, **request.tags},
        dependencies=dependencies_in(findings.template or {}),
        warnings=tuple(map(redactor.redact, (*findings.warnings, *_plain_in_file(declared, environment)))),
        has_secrets=_has_secrets(declared, effective),
    )


def _has_secrets(declared: parameters.Declarations, effective: Mapping[str, str]) -> bool:
    return bool(references_in(effective)) or any(
        parameters.is_secret_parameter(name, each) for name, each in declared.items()
    )


def _plain_in_file(declared: parameters.Declarations, environment: Environment) -> Iterator[str]:
    """A warning, no problem: the file is the operator's, and Prefect stores none of it (decision 13)."""
    for name in parameters.plain_secrets(declared, environment.parameters):
        yield f"parameters/{name}: it is `NoEcho`, and the environments file holds a plain value: use `secret:<name>`."


def _problems(
    request: DeploymentRequest, environment: Environment, template: Template, findings: Findings
) -> Iterator[str]:
    if not template.fits_inline and template.url is None:
        size = len(template.body.encode())
        yield (
            f"template: {size:,} bytes; more than {INLINE_BYTES:,} must come from S3: name `s3://bucket/key`, "
            "or have the workers upload it (INTERLOCK_TEMPLATE_BUCKET)."
        )
    if request.templates:
        yield f"templates: {environment.name} has one stack, and its template is `template`."
    yield from findings.errors
    if findings.template is not None:
        declared = parameters.declared_in(findings.template)
        yield from parameters.problems(declared, environment=environment.parameters, request=request.parameters)
    names = [*environment.capabilities, *request.capabilities]
    yield from capabilities.problems(findings.template or {}, names)
    yield from tags.problems({**environment.tags, **request.tags})


def _refusal(template: Template, findings: Findings, gateway: CloudFormation | None) -> Iterator[str]:
    if gateway is None or findings.template is None or not (template.fits_inline or template.url):
        return
    try:
        gateway.validate_template(template)
    except CloudFormationRefusedError as refusal:
        if refusal.code != "ValidationError":
            raise  # we may not ask: that is not the request's fault
        yield f"template: {refusal.message} (CloudFormation)."
