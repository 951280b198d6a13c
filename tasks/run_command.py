"""The environment's own command in the place of our change set: started once, and seen through to its operation's end."""

import os
import shutil
import tempfile
import threading
from functools import partial
from pathlib import Path

from prefect.futures import PrefectFuture

from interlock.cloudformation.clients import role_variables
from interlock.cloudformation.requests import CheckedRequest
from interlock.commands.filling import Filling
from interlock.commands.judgement import outcome_of_command
from interlock.commands.operation import EventsAfterMark, Patience, look, when_settled
from interlock.commands.running import Command, Ending
from interlock.commands.surroundings import secrets_in, surroundings
from interlock.hold_keeper import HoldKeeper
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.monitoring.schedule import NO_DEPENDENCIES, Dependencies
from interlock.monitoring.watcher import StackWatcher
from interlock.timing import COMMAND_DEATH_SECONDS, COMMAND_QUIET_SECONDS, NEVER_STARTED_SECONDS
from interlock.wiring import Installation, installation
from tasks.change_set import stack_to_deploy
from tasks.deploy_stack import history_of, strangers_operation, torn_down
from tasks.diagnosing import with_findings
from tasks.run_log import log_of, run_log
from tasks.secret_values import know_secrets_again
from tasks.step import as_task, step


@step("prepare for the command")
def prepare_command(deployment: Deployment, keeper: HoldKeeper) -> Deployment:
    """A stack that a deployment can start from, and the mark in its log after which everything is the command's doing.

    Raises:
        StackBusyError: an operation runs, in spite of our hold: a stranger's.
        StackNeedsRecoveryError: no deployment can start from the stack's status.
    """
    here = installation()
    environment = here.environment_of(deployment)
    gateway = here.cloudformation(environment)
    stack = stack_to_deploy(gateway, environment, deployment, keeper)
    mark = gateway.newest_event_id(stack.stack_id) if stack else None
    return here.registry.deployments.record(deployment.correlation_id, changes={"command_after_event": mark})


def watch_command(deployment: Deployment, dependencies: Dependencies = NO_DEPENDENCIES) -> StackWatcher:
    """The one reader of the operation's events, for the task and the monitor beside it."""
    here = installation()
    environment = here.environment_of(deployment)
    return StackWatcher(
        EventsAfterMark(here.cloudformation(environment), after=deployment.command_after_event),
        stack_id=environment.stack_name,  # by its name: the command may have to create it
        token=deployment.correlation_id,
        started_after=deployment.deploying_since or here.clock(),
        dependencies=dependencies,
        stall_after_minutes=environment.stall_after_minutes,
        history=history_of(here, deployment),
        clock=here.clock,
    )


def run_command(
    deployment: Deployment, checked: CheckedRequest, keeper: HoldKeeper, abandoned: threading.Event
) -> PrefectFuture[Outcome]:
    """Begin to run the command, beside the monitor; read the end of it with `outcome_of`. Set `abandoned` to let go."""
    environment = installation().environment_of(deployment)
    minutes = environment.command_timeout_minutes
    tell = partial(log_of(deployment).info, "%s", extra={"event": "COMMAND_OUTPUT"})
    command = Command(timeout_seconds=minutes and minutes * 60, tell=tell)
    return _run_task.submit(deployment, checked, keeper, command, abandoned)


def follow_command(deployment: Deployment, abandoned: threading.Event) -> PrefectFuture[Outcome]:
    """For an adopter: see through what a killed process's command began. The command is never started again."""
    return _follow_task.submit(deployment, abandoned)


def _run(
    deployment: Deployment, checked: CheckedRequest, keeper: HoldKeeper, command: Command, abandoned: threading.Event
) -> Outcome:
    """Called again after a temporary error, it goes on with the command that it started."""
    here = installation()
    if not command.is_started:
        _start(here, here.environment_of(deployment), deployment, checked, keeper, command)
    ending = command.wait(lambda: keeper.is_lost, abandoned.wait)
    if ending is None:
        raise torn_down(deployment)
    run_log().info("%s", ending.in_words, extra={"event": "COMMAND_ENDED"})
    return _judged(here, deployment, ending, Patience(unseen_seconds=COMMAND_QUIET_SECONDS), abandoned)


def _follow(deployment: Deployment, abandoned: threading.Event) -> Outcome:
    here = installation()
    know_secrets_again(deployment)
    lost_at = deployment.process_lost_at
    if lost_at is None:
        lost_at = here.clock()
        here.registry.deployments.record(deployment.correlation_id, changes={"process_lost_at": lost_at})
    gone = (here.clock() - lost_at).total_seconds()
    run_log().info("The command ended with its process: looking for what it began.", extra={"event": "COMMAND_LOST"})
    patience = Patience(unseen_seconds=NEVER_STARTED_SECONDS - gone, seen_seconds=COMMAND_DEATH_SECONDS - gone)
    return _judged(here, deployment, None, patience, abandoned)


_run_task = as_task(_run, name="run the command")
_follow_task = as_task(_follow, name="see the command's operation through")


def _start(
    here: Installation,
    environment: Environment,
    deployment: Deployment,
    checked: CheckedRequest,
    keeper: HoldKeeper,
    command: Command,
) -> None:
    environ = surroundings(os.environ, environment, deployment.correlation_id, role_variables(environment))
    here.redactor.learn(secrets_in(environ))
    _require_quiet(here, environment)
    # Stored before the start: whoever adopts us after a crash in between looks for what began after the mark.
    here.registry.deployments.record(
        deployment.correlation_id,
        events=[DeploymentEvent(timestamp=here.clock(), event="DEPLOYMENT_STARTED", details=_shown(environment))],
        changes={"by_command": True, "operation_asked_at": here.clock()},
    )
    keeper.guard()
    scratch = Path(tempfile.mkdtemp(prefix="interlock-command-"))  # of this user alone
    try:
        command.start(
            _arguments(environment, deployment, checked, scratch),
            environ=environ,
            directory=environment.command_directory,
            scratch=scratch,
        )
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    run_log().info("Running the command: %s", _shown(environment), extra={"event": "DEPLOYMENT_STARTED"})


def _arguments(environment: Environment, deployment: Deployment, checked: CheckedRequest, scratch: Path) -> list[str]:
    template = scratch / "template.yaml"  # JSON is YAML
    template.write_text(checked.template.body, encoding="utf-8")
    filling = Filling.of(
        checked,
        environment,
        correlation_id=deployment.correlation_id,
        git_sha=deployment.git_sha,
        template=template,
    )
    return filling.arguments(checked.command)


def _require_quiet(here: Installation, environment: Environment) -> None:
    """The third layer of promise 1, looked at right before the start: the stack's own status."""
    stack = here.cloudformation(environment).stack(environment.stack_name)
    if stack is not None and stack.state.is_in_progress:
        raise strangers_operation(stack)


def _judged(
    here: Installation, deployment: Deployment, ending: Ending | None, patience: Patience, abandoned: threading.Event
) -> Outcome:
    environment = here.environment_of(deployment)
    gateway, mark = here.cloudformation(environment), deployment.command_after_event
    seen = when_settled(
        lambda: look(gateway, environment.stack_name, after=mark),
        patience,
        pause=abandoned.wait,
        tell=partial(run_log().warning, "The stack could not be read: %s"),
        clock=here.clock,
    )
    if seen is None:
        raise torn_down(deployment)
    outcome = outcome_of_command(ending, seen, environment, gateway, had_stack=mark is not None, now=here.clock())
    return with_findings(outcome, environment)


def _shown(environment: Environment) -> str:
    """As the environments file has it: what the placeholders stand for may be a caller's secret."""
    return " ".join(environment.command)
