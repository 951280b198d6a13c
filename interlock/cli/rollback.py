"""`interlock rollback`: deploy the last good template and parameters again, as a new deployment."""

import os
import sys
import uuid
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.carry_out import carry_out, following, reported
from interlock.cli.text import instant, one_line
from interlock.cli.who import login_name
from interlock.correlation_id import is_correlation_id
from interlock.errors import InvalidRequestError

if TYPE_CHECKING:
    from interlock.cli.outcome import Outcome
    from interlock.prefect_api import PrefectApi
    from interlock.prefect_values import FlowRun

_GOOD = "Succeeded"
_CHANGED_THE_STACK = (_GOOD, "Failed", "Rolled Back")
"""Names of the states of runs that (perhaps) touched the stack; one with nothing to change is none to go back to."""
_WHAT_IS_DEPLOYED = ("template", "templates", "parameters", "capabilities", "tags", "git_sha")


@click.command(short_help="Deploy again what ENV had before its last deployment.")
@click.argument("environment", metavar="ENV")
@click.option(
    "--to", "target", metavar="CORRELATION_ID", help="The deployment to go back to; by default the last good."
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is nobody to ask.")
@click.option("--override-lock", is_flag=True, help="An emergency: deploy though the environment is locked. Audited.")
@click.option("--reason", metavar="TEXT", help="Why the lock is overridden; required with --override-lock.")
@following
def rollback(environment: str, *, as_json: bool, **options: Any) -> int:
    """Deploy what ENV had before its last deployment: that template, those parameters.

    It is a deployment like any other: it waits for its turn, and is validated, watched and recorded. What is deployed
    is read from the earlier request in Prefect; an `s3://` address without a version may hold something else by now.
    """
    return reported(lambda: _rollback(environment, as_json=as_json, **options), environment, as_json=as_json)


def _rollback(
    environment: str, *, target: str | None, yes: bool, override_lock: bool, reason: str | None, **following: Any
) -> "Outcome":
    from interlock.cli import github_actions  # noqa: PLC0415 - only when needed
    from interlock.cli.request import override  # noqa: PLC0415 - only when needed
    from interlock.prefect_api import PrefectApi  # noqa: PLC0415 - httpx takes its time

    overriding = override(reason, is_wanted=override_lock)
    api, job = PrefectApi(os.environ), github_actions.job(os.environ)
    earlier = _named(api, environment, target) if target else _last_good(api, environment)
    _confirm(environment, earlier, is_agreed=yes)
    request = {
        **{name: value for name, value in (earlier.parameters or {}).items() if name in _WHAT_IS_DEPLOYED},
        "environment": environment,
        "workflow_run_id": job.workflow_run_id,
        "github_run_url": job.run_url,
        "actor": job.actor or login_name(),
        "rollback_to": earlier.correlation_id,
        **overriding,
    }
    key = job.idempotency_key(environment, f"rollback-{earlier.correlation_id}") or f"interlock-{uuid.uuid4()}"
    return carry_out(api, request, key, **following)


def _named(api: "PrefectApi", environment: str, correlation_id: str) -> "FlowRun":
    if not is_correlation_id(correlation_id):
        raise InvalidRequestError([f"--to: {correlation_id!r} is no correlation id (YYYYMMDD-HHMMSS-xxxxxxxx)"])
    run = api.flow_run_of(correlation_id)
    theirs = (run.parameters or {}).get("environment")
    problems = [f"--to: {correlation_id} was a deployment of {theirs}"] if theirs != environment else []
    if run.state_name not in (_GOOD, "No Changes"):
        problems.append(f"--to: {correlation_id} ended as {run.state_name}: it is none to go back to")
    if problems:
        raise InvalidRequestError(problems, environment=environment)
    return run


def _last_good(api: "PrefectApi", environment: str) -> "FlowRun":
    """The last that succeeded before the last that touched the stack, with something else than that."""
    runs = api.ended_runs(api.deployment_id(environment), _CHANGED_THE_STACK)
    for run in runs[1:]:
        if run.state_name == _GOOD and _deployed(run) != _deployed(runs[0]):
            return run
    raise InvalidRequestError(
        [f"{environment}: no earlier deployment with another template or other parameters has succeeded"],
        environment=environment,
    )


def _deployed(run: "FlowRun") -> tuple[Any, ...]:
    parameters = run.parameters or {}
    template = parameters.get("template")
    # Where a command deploys without a template, the commit says what.
    return template or parameters.get("git_sha"), parameters.get("templates"), parameters.get("parameters")


def _confirm(environment: str, earlier: "FlowRun", *, is_agreed: bool) -> None:
    parameters = earlier.parameters or {}
    when = f" of {instant(earlier.created_at)}" if earlier.created_at else ""
    by = f", asked for by {one_line(parameters['actor'])}" if parameters.get("actor") else ""
    commit = f", commit {one_line(parameters['git_sha'])}" if parameters.get("git_sha") else ""
    click.echo(f"{environment} goes back to {earlier.correlation_id}{when}{by}{commit}.", err=True)
    if is_agreed:
        return
    if not sys.stdin.isatty():
        raise InvalidRequestError(["--yes: needed, there is nobody to ask"], environment=environment)
    click.confirm("Deploy that?", abort=True, err=True)
