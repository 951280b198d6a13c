"""The change set: made and read with the environment held, so that what is shown is what will be done."""

from interlock.cloudformation import change_sets, template_store
from interlock.cloudformation.aws_errors import NO_SUCH_CHANGE_SET
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.requests import CheckedRequest
from interlock.errors import CloudFormationRefusedError
from interlock.hold_keeper import HoldKeeper
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.environment import Environment
from interlock.models.stack import ChangeSet, Stack
from interlock.notices import notice_of_changes
from interlock.wiring import installation
from tasks.artifacts import publish_changes, show_summary
from tasks.run_log import run_log
from tasks.s3_templates import read_template
from tasks.secret_values import know_secrets_again, with_secrets
from tasks.step import step


@step("make the change set")
def make_change_set(deployment: Deployment, request: CheckedRequest, keeper: HoldKeeper) -> ChangeSet:
    """The deployment's change set, executable or empty. Called again after a crash, it is the one made before.

    Raises:
        StackBusyError: an operation runs, in spite of our hold: a stranger's.
        StackNeedsRecoveryError: no deployment can start from the stack's status.
        CloudFormationRefusedError: it cannot be made.
        TemplateChangedError: what lies in S3 is no longer what was validated.
        InvalidRequestError, SecretNotReadableError: a secret is missing, or may not be read.
    """
    here = installation()
    environment = here.environment_of(deployment)
    gateway = here.cloudformation(environment)
    request = with_secrets(deployment, request)  # before anything is changed: one may be missing
    stack = stack_to_deploy(gateway, environment, deployment, keeper)
    template_store.require_unchanged(request.template, read_template)
    change_set = change_sets.make(
        gateway,
        environment,
        request,
        stack=stack,
        correlation_id=deployment.correlation_id,
        guard=keeper.guard,
        attempt=deployment.approval.round + 1 if deployment.approval else 1,
    )
    _show(deployment, change_set)
    return change_set


def stack_to_deploy(
    gateway: CloudFormation, environment: Environment, deployment: Deployment, keeper: HoldKeeper
) -> Stack | None:
    """The environment's stack, such that a deployment can start from it; None if it is to be created.

    Raises:
        StackBusyError, StackNeedsRecoveryError: none can.
    """
    return change_sets.recreate(
        gateway,
        gateway.stack(environment.stack_name),
        environment=environment,
        correlation_id=deployment.correlation_id,
        guard=keeper.guard,
    )


def _show(deployment: Deployment, change_set: ChangeSet) -> None:
    here = installation()
    summary = (
        ", ".join(f"{count} {action.lower()}" for action, count in change_set.counts.items()) or "nothing to change"
    )
    run_log().info("Change set: %s.", summary, extra={"event": "CHANGE_SET_CREATED"})
    if change_set.is_empty:
        return
    deployment = here.registry.deployments.record(
        deployment.correlation_id,
        events=[DeploymentEvent(timestamp=here.clock(), event="CHANGE_SET_CREATED", details=summary)],
        notices=[notice_of_changes(change_set)],
        changes={"change_set_arn": change_set.arn, "change_counts": change_set.counts},
    )
    publish_changes(deployment, change_set)
    show_summary(deployment)


@step("read the change set made before")
def stored_change_set(deployment: Deployment) -> ChangeSet:
    """For an adopter: the change set whose execution was begun. CloudFormation removes it once it has been executed.

    What is then left of it, the ARN and the stack, is all that is needed to find the operation by its token.
    """
    here = installation()
    environment = here.environment_of(deployment)
    know_secrets_again(deployment)
    gateway = here.cloudformation(environment)
    arn = deployment.change_set_arn or ""
    try:
        return gateway.change_set(arn)
    except CloudFormationRefusedError as refusal:
        if refusal.code != NO_SUCH_CHANGE_SET:
            raise
    stack = gateway.stack(environment.stack_name)
    if stack is None:
        raise CloudFormationRefusedError(
            f"The stack {environment.stack_name} is gone: somebody deleted it while it was being deployed.",
            code="StackGone",
            environment=environment.name,
            correlation_id=deployment.correlation_id,
            next_step="Find out who did, then deploy again.",
        )
    return change_sets.executed(arn, stack)
