"""Execute the change set and see the operation through to its end."""

import threading
from collections.abc import Sequence

from prefect import State
from prefect.futures import PrefectFuture
from prefect.states import Failed

from interlock.cloudformation.gateway import CloudFormation
from interlock.errors import CancelledError, ExitCode, StackBusyError
from interlock.hold_keeper import HoldKeeper
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.outcome import Outcome
from interlock.models.past_operation import PastOperation
from interlock.models.stack import ChangeSet, Stack
from interlock.monitoring.past import HISTORY_FOR_ESTIMATES, past_operations
from interlock.monitoring.schedule import NO_DEPENDENCIES, Dependencies
from interlock.monitoring.watcher import Observation, StackWatcher
from interlock.operation_outcome import outcome_of_operation, succeeded
from interlock.wiring import Installation, installation
from tasks.diagnosing import with_findings
from tasks.run_log import run_log
from tasks.step import as_task, result_of, step, told_by


def watch_operation(
    deployment: Deployment, change_set: ChangeSet, dependencies: Dependencies = NO_DEPENDENCIES
) -> StackWatcher:
    """The one reader of the operation's events, for the deploy task and the monitor beside it."""
    here = installation()
    environment = here.environment_of(deployment)
    return StackWatcher(
        here.cloudformation(environment),
        stack_id=change_set.stack_id,
        token=deployment.correlation_id,
        started_after=deployment.deploying_since or here.clock(),
        changes=change_set.changes,
        dependencies=dependencies,
        stall_after_minutes=environment.stall_after_minutes,
        history=history_of(here, deployment),
        clock=here.clock,
    )


def _deploy(
    deployment: Deployment,
    change_set: ChangeSet,
    keeper: HoldKeeper,
    watcher: StackWatcher,
    abandoned: threading.Event,
) -> Outcome | State:
    here = installation()
    environment = here.environment_of(deployment)
    gateway = here.cloudformation(environment)
    _execute(here, gateway, deployment, change_set, keeper)
    last = _follow(deployment, watcher, abandoned)
    run_log().info("The operation has ended: %s.", last.outcome, extra={"event": "OPERATION_ENDED"})
    outcome = outcome_of_operation(last, gateway.stack(change_set.stack_id), environment, gateway)
    return _in_its_colour(with_findings(outcome, environment), here)


def _in_its_colour(outcome: Outcome, here: Installation) -> Outcome | State:
    """A failure is a failed task on the run's page: that is where people look first."""
    if outcome.exit_code == ExitCode.SUCCEEDED:
        return outcome
    return Failed(name=outcome.title, message=here.redactor.redact(outcome.reason or ""), data=outcome)


def _follow(deployment: Deployment, watcher: StackWatcher, abandoned: threading.Event) -> Observation:
    """To the operation's end, unless the run is torn down: whoever then carries on must not wait for this thread."""
    for observation in watcher.follow(abandoned.wait):
        if observation.is_ended:
            return observation
        if abandoned.is_set():
            break
    raise torn_down(deployment)


def torn_down(deployment: Deployment) -> CancelledError:
    """The ending of a task whose run goes away under it: whoever adopts the operation says how it ended."""
    return CancelledError(
        "The run was torn down while its operation ran.",
        environment=deployment.environment,
        correlation_id=deployment.correlation_id,
    )


_deploy_task = as_task(_deploy, name="deploy the stack")


def deploy_stack(
    deployment: Deployment,
    change_set: ChangeSet,
    keeper: HoldKeeper,
    watcher: StackWatcher,
    abandoned: threading.Event,
) -> PrefectFuture[Outcome]:
    """Begin to deploy, beside the monitor; read the end of it with `outcome_of`. Set `abandoned` to let go of it."""
    return _deploy_task.submit(deployment, change_set, keeper, watcher, abandoned)


def outcome_of(deploying: PrefectFuture[Outcome]) -> Outcome:
    """Wait for the deploy task.

    Raises:
        InterlockError: the operation could not be started, or not be followed to its end.
    """
    deploying.wait()
    told = told_by(deploying.state)
    outcome: Outcome = told if isinstance(told, Outcome) else result_of(deploying.state)
    return outcome


@step("nothing to change")
def nothing_to_change(deployment: Deployment) -> Outcome:
    """A success: the stack is as the template wants it already."""
    here = installation()
    environment = here.environment_of(deployment)
    return succeeded(here.cloudformation(environment).stack(environment.stack_name), environment, no_changes=True)


def _execute(
    here: Installation, gateway: CloudFormation, deployment: Deployment, change_set: ChangeSet, keeper: HoldKeeper
) -> None:
    """Start the operation, once: called again after a lost answer or a crash, it finds the one that it started."""
    token = deployment.correlation_id
    # Stored before the call: whoever adopts us after a crash in between can ask CloudFormation which of the two happened.
    here.registry.deployments.record(
        token,
        events=[
            DeploymentEvent(
                timestamp=here.clock(), event="DEPLOYMENT_STARTED", details="Validation passed, starting deployment"
            )
        ],
        changes={"operation_token": token, "change_set_arn": change_set.arn, "operation_asked_at": here.clock()},
    )

    def guard() -> None:
        keeper.guard()
        _require_quiet(gateway, change_set, token)

    gateway.execute_change_set(change_set, token=token, guard=guard)
    run_log().info("CloudFormation is carrying out the change set.", extra={"event": "DEPLOYMENT_STARTED"})


def _require_quiet(gateway: CloudFormation, change_set: ChangeSet, token: str) -> None:
    """The third layer of promise 1, looked at right before the call: the stack's own status."""
    stack = gateway.stack(change_set.stack_id)
    if stack is None or not stack.state.is_in_progress:
        return
    running = gateway.latest_operation(stack)
    if running is None or running.token != token:
        raise strangers_operation(stack)


def strangers_operation(stack: Stack) -> StackBusyError:
    """What keeps us from a call that changes the stack, at the last look before it."""
    return StackBusyError(
        f"Another operation runs on stack {stack.name} ({stack.status}), in spite of our hold: it is not Interlock's.",
        next_step="Wait for it to end, then deploy again.",
    )


def history_of(here: Installation, deployment: Deployment) -> Sequence[PastOperation]:
    """The stack's earlier operations, for estimates: of a deployment of several stacks, its last one's is kept."""
    history = here.registry.deployments.history(deployment.environment, limit=HISTORY_FOR_ESTIMATES)
    return past_operations(each for each in history if each.stack_name == deployment.stack_name)
