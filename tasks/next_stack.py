"""From one stack of an environment to the next, within one deployment."""

from interlock import console_links
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.outcome import Outcome
from interlock.wiring import installation
from tasks.run_log import run_log
from tasks.step import step


@step("go on to the next stack")
def go_on_to_next_stack(deployment: Deployment, outcome: Outcome) -> Deployment:
    """The deployment, at the stack after the one that has just come to this good end.

    What is on record of the operation was about the earlier stack: a process that dies from here on has begun nothing.
    """
    here = installation()
    following = deployment.stacks_left[0]
    details = (
        f"{deployment.stack_name}: {'no changes' if outcome.no_changes else outcome.stack_status}; now {following}."
    )
    run_log().info("Stack %s", details, extra={"event": "STACK_DEPLOYED"})
    was_unchanged = outcome.no_changes and (deployment.no_changes or not deployment.stacks_done)
    return here.registry.deployments.record(
        deployment.correlation_id,
        events=[DeploymentEvent(timestamp=here.clock(), event="STACK_DEPLOYED", details=details)],
        changes={
            "stack_name": following,
            "aws_console_url": console_links.stack_link(deployment.region, following),
            "outputs": {**deployment.outputs, **outcome.outputs},
            "application_url": outcome.application_url or deployment.application_url,
            "no_changes": was_unchanged,
            **dict.fromkeys(_OF_ONE_OPERATION),
            "change_counts": {},
        },
    )


_OF_ONE_OPERATION = (
    "operation_token",
    "operation_asked_at",
    "change_set_arn",
    "likely_finish",
    "late_finish",
    "operation",
)
