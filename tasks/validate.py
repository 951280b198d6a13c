"""Active check first (promise 6), then the request itself; the change set comes later, with the environment held."""

from collections.abc import Sequence
from functools import partial

from interlock.active_check import ActiveCheck, Finding
from interlock.cloudformation import template_store, templates
from interlock.cloudformation.requests import CheckedRequest, check_request
from interlock.cloudformation.templates import Template
from interlock.commands.request import check_command_request
from interlock.errors import CloudFormationUnavailableError
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.several_stacks import check_each, stack_to_look_at
from interlock.turn import join_queue
from interlock.wiring import Installation, installation
from tasks.run_log import run_log
from tasks.s3_templates import read_template, write_template
from tasks.step import step


@step("check what is active")
def check_active(deployment: Deployment) -> Finding:
    """Join the queue and look who is ahead: a stack's operation, a holder, earlier tickets.

    Raises:
        DeploymentInProgressError: somebody is, and the environment's policy is `reject`.
        AwsCredentialsError, CloudFormationRefusedError: the stack may not be looked at.
    """
    here = installation()
    environment = here.environment(deployment.environment)
    join_queue(here.registry, deployment, now=here.clock())
    try:
        look = partial(here.cloudformation(environment).stack, certain=False)
        stack = stack_to_look_at(look, environment)
    except CloudFormationUnavailableError as error:
        run_log().warning("The stack's status is not known yet: %s", error)
        stack = None
    finding = ActiveCheck(here.registry, environment, here.clock).look(deployment, stack)
    if finding.is_busy:
        run_log().info("Deployment already in progress: %s", finding.in_words)
    return finding


def load_template(here: Installation, request: DeploymentRequest) -> Template:
    """Raises:
    InvalidRequestError: it is not allowed, cannot be read, or is too long.
    CloudFormationUnavailableError: S3 does not answer.
    """
    return templates.load(
        request.template,
        templates_directory=here.settings.templates,
        allowed_hosts=here.settings.allowed_template_hosts,
        s3_reader=read_template,
    )


@step("check the request")
def check(deployment: Deployment, request: DeploymentRequest) -> Sequence[CheckedRequest]:
    """Template, parameters, capabilities, tags: everything that can be known to be wrong without a change set.

    One for each stack that is still to be deployed, in their order.

    Raises:
        InvalidRequestError: with all problems at once.
        CloudFormationRefusedError: the template is long, and S3 does not take it.
    """
    here = installation()
    environment = here.environment(deployment.environment)
    every = _checked(here, request, environment)
    for warning in (warning for each in every.values() for warning in each.warnings):
        run_log().warning("Template: %s", warning)
    here.registry.deployments.record(
        deployment.correlation_id,
        events=[DeploymentEvent(timestamp=here.clock(), event="VALIDATION_PASSED", details="The request is valid.")],
        changes={
            "template_sha256": every[environment.stack_name].template.sha256,
            "has_secrets": any(each.has_secrets for each in every.values()),
        },
    )
    return [each for name, each in every.items() if name not in deployment.stacks_done]


def _checked(here: Installation, request: DeploymentRequest, environment: Environment) -> dict[str, CheckedRequest]:
    """For each stack of the environment."""
    gateway, load = here.cloudformation(environment), partial(_template, here)
    if environment.stacks_before:
        return check_each(request, environment, load, gateway, redactor=here.redactor)
    if environment.command:
        # A command may know where its template lies; one that is named is validated all the same.
        template = load(request) if request.template.strip() else None
        checked = check_command_request(request, environment, template, gateway, redactor=here.redactor)
    else:
        checked = check_request(request, environment, load(request), gateway, redactor=here.redactor)
    return {environment.stack_name: checked}


def _template(here: Installation, request: DeploymentRequest) -> Template:
    return template_store.stored(load_template(here, request), here.settings.template_bucket, write_template)
