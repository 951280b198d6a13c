"""The main job: one deployment of one environment, from the request to the record of its end."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from prefect import State, flow
from prefect.futures import PrefectFuture

from flows.monitor import monitor
from interlock.cloudformation.requests import CheckedRequest
from interlock.errors import PermanentError
from interlock.hold_keeper import HoldKeeper
from interlock.models.deployment import Deployment
from interlock.models.outcome import Outcome, outcome_of_error, outcome_on_record
from interlock.models.request import DeploymentRequest
from interlock.models.stack import ChangeSet
from interlock.monitoring.lifecycle import keep_alive
from interlock.monitoring.schedule import NO_DEPENDENCIES, Dependencies
from interlock.monitoring.watcher import StackWatcher
from interlock.several_stacks import is_good, of_all_stacks
from tasks.approval import ask_for_approval, lacks_approval, wait_for_approval
from tasks.change_set import make_change_set, stored_change_set
from tasks.deploy_stack import deploy_stack, nothing_to_change, outcome_of, watch_operation
from tasks.drift import tell_drift
from tasks.endings import close_cancelled, close_crashed, close_failed, final_state
from tasks.monitoring import Reporter
from tasks.next_stack import go_on_to_next_stack
from tasks.notify import notify, notify_at_last
from tasks.record import catch_up, close_deployment, open_deployment, refuse
from tasks.run_command import follow_command, prepare_command, run_command, watch_command
from tasks.slot import Held, acquire_slot
from tasks.validate import check, check_active


@flow(
    name="deploy",
    description="Bring an environment's CloudFormation stack to a template, one deployment at a time.",
    on_failure=[close_failed],
    on_crashed=[close_crashed],
    on_cancellation=[close_cancelled],
    validate_parameters=True,
)
def deploy(
    environment: str,
    template: str,
    templates: dict[str, str] | None = None,
    parameters: dict[str, str] | None = None,
    capabilities: list[str] | None = None,
    tags: dict[str, str] | None = None,
    workflow_run_id: str | None = None,
    github_run_url: str | None = None,
    git_sha: str | None = None,
    actor: str | None = None,
    rollback_to: str | None = None,
    override_lock_reason: str | None = None,
    show_drift: bool = False,
) -> State:
    """Deploy a template to an environment.

    Args:
        environment: the environment's name in the environments file; must be this Prefect deployment's own.
        template: the template's text, or `s3://bucket/key` (a path or `https://` only where the installation allows it);
            empty only where the environment has a command that needs none (docs/deployers.md).
        templates: where the environment has several stacks, the templates of those before its last, by the stack's name.
        parameters: values for the template's parameters, over the environment's own; secrets as references (docs/secrets.md).
        capabilities: what the template may do, such as CAPABILITY_IAM, beside the environment's own.
        tags: tags for the stack, over the environment's own.
        workflow_run_id: the CI run that asks.
        github_run_url: a link to that run.
        git_sha: the commit that is deployed.
        actor: who asks.
        rollback_to: the earlier deployment that this one goes back to, for the record (`interlock rollback`).
        override_lock_reason: why it may begin though the environment is locked: an emergency, recorded and announced.
        show_drift: whether to show first what was changed by hand: in the log and the artifact `interlock-drift`. Takes two
            minutes at most, and never stops the deployment.
    """
    request = DeploymentRequest(
        environment=environment,
        template=template,
        templates=templates or {},
        parameters=parameters or {},
        capabilities=tuple(capabilities or ()),
        tags=tags or {},
        workflow_run_id=workflow_run_id,
        github_run_url=github_run_url,
        git_sha=git_sha,
        actor=actor,
        rollback_to=rollback_to,
        override_lock_reason=override_lock_reason,
        show_drift=show_drift,
    )
    try:
        deployment = open_deployment(request)
    except PermanentError as error:
        return refuse(request, error)
    notify(deployment)
    with Held() as held:
        outcome = _outcome(deployment, request, held)
        closed, outcome = close_deployment(deployment, outcome)
    notify_at_last(closed)
    catch_up(closed)
    return final_state(outcome)


def _outcome(deployment: Deployment, request: DeploymentRequest, held: Held) -> Outcome:
    """What `held` collects is given back by the caller, once the outcome is on record."""
    if deployment.status.is_final:
        return outcome_on_record(deployment)
    try:
        if deployment.has_begun:
            return _carry_on(deployment, request, held)
        return _from_the_check(deployment, request, held)
    except PermanentError as error:
        return outcome_of_error(error)


def _from_the_check(deployment: Deployment, request: DeploymentRequest, held: Held) -> Outcome:
    """Steps 2 to 7."""
    deployment = wait_for_approval(deployment)
    check_active(deployment)
    notify(deployment)
    requests = check(deployment, request)
    return _stack_by_stack(deployment, requests, request, acquire_slot(deployment, held), held)


def _stack_by_stack(
    deployment: Deployment,
    requests: Sequence[CheckedRequest],
    request: DeploymentRequest,
    keeper: HoldKeeper,
    held: Held,
) -> Outcome:
    """Steps 5 to 7, for each stack of the environment (most have one) until one does not come to a good end."""
    for number, checked in enumerate(requests, start=1):
        try:
            outcome = _deploy_one(deployment, checked, request, keeper, held)
        except PermanentError as error:
            outcome = outcome_of_error(error)
        if not is_good(outcome) or number == len(requests):
            break
        deployment = go_on_to_next_stack(deployment, outcome)
    return of_all_stacks(deployment, outcome)


def _deploy_one(
    deployment: Deployment, checked: CheckedRequest, request: DeploymentRequest, keeper: HoldKeeper, held: Held
) -> Outcome:
    if request.show_drift and deployment.approval is None:
        tell_drift(deployment)
    if checked.command:
        return _run_command(deployment, checked, keeper)
    change_set = make_change_set(deployment, checked, keeper)
    notify(deployment)
    if change_set.is_empty:
        return nothing_to_change(deployment)
    if lacks_approval(deployment, checked, change_set):
        asked = ask_for_approval(deployment, checked, change_set, keeper)
        held.close()  # a person may take days: nobody else waits for them
        return _outcome(asked, request, held)
    return _deploy_and_monitor(deployment, change_set, keeper, checked.dependencies)


def _carry_on(deployment: Deployment, request: DeploymentRequest, held: Held) -> Outcome:
    """For a process that died: what it began is found again and seen through, and never begun once more."""
    keeper = acquire_slot(deployment, held)
    if deployment.by_command:
        return _beside_monitor(deployment, watch_command(deployment), partial(follow_command, deployment))
    outcome = _deploy_and_monitor(deployment, stored_change_set(deployment), keeper)
    if not is_good(outcome) or not deployment.stacks_left:
        return of_all_stacks(deployment, outcome)
    deployment = go_on_to_next_stack(deployment, outcome)
    return _stack_by_stack(deployment, check(deployment, request), request, keeper, held)


def _run_command(deployment: Deployment, checked: CheckedRequest, keeper: HoldKeeper) -> Outcome:
    """Steps 5 to 7 where the environment has a command of its own: it deploys, and the monitor watches its stack."""
    deployment = prepare_command(deployment, keeper)
    notify(deployment)
    watcher = watch_command(deployment, checked.dependencies)
    return _beside_monitor(deployment, watcher, partial(run_command, deployment, checked, keeper))


def _deploy_and_monitor(
    deployment: Deployment,
    change_set: ChangeSet,
    keeper: HoldKeeper,
    dependencies: Dependencies = NO_DEPENDENCIES,
) -> Outcome:
    watcher = watch_operation(deployment, change_set, dependencies)
    return _beside_monitor(deployment, watcher, partial(deploy_stack, deployment, change_set, keeper, watcher))


def _beside_monitor(
    deployment: Deployment,
    watcher: StackWatcher,
    begin: Callable[[threading.Event], PrefectFuture[Outcome]],
) -> Outcome:
    """The deploying task, and the monitor beside it until that has ended."""
    stop, abandoned = threading.Event(), threading.Event()
    deploying = begin(abandoned)
    deploying.add_done_callback(lambda _: stop.set())
    try:
        _keep_monitoring(deployment, watcher, stop)
        return outcome_of(deploying)
    finally:
        stop.set()
        abandoned.set()


def _keep_monitoring(deployment: Deployment, watcher: StackWatcher, stop: threading.Event) -> None:
    """The monitor ends with the operation. If it crashes it is started again; the deployment never notices (promise 5)."""
    reporter = Reporter(deployment)
    # Not `<environment> <correlation id>`: by that name clients find the deployment's own run.
    named = monitor.with_options(flow_run_name=f"{deployment.correlation_id} of {deployment.environment}")
    keep_alive(lambda: named(watcher, reporter, stop), reporter, stop)
