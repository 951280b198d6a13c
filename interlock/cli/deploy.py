"""`interlock deploy`: ask Prefect for a deployment, follow it, and end with an exit code that CI can branch on."""

import getpass
import json
import os
import sys
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlock.errors import InterlockError, PrefectUnreachableError

if TYPE_CHECKING:
    from interlock.cli.display import Display
    from interlock.cli.follow import Follower
    from interlock.cli.outcome import Outcome
    from interlock.prefect_api import PrefectApi
    from interlock.prefect_values import FlowRun

_EPILOG = """\b
Examples:
  interlock deploy staging --template stack.yaml
  interlock deploy staging --template stack.yaml --parameter ImageTag=1.4.2 --capability CAPABILITY_IAM
  interlock deploy production --template s3://bucket/stack.yaml --parameters-file production.json --timeout 60
  generate-template | interlock deploy staging --template - --json > outcome.json

\b
Exit codes:
  0  succeeded, or nothing to change (with --no-wait: the request was taken)
  1  failed, or failed and rolled back
  2  another deployment is in progress, and the environment's queue policy is `reject`
  3  waited too long for its turn
  4  superseded by a newer request, or cancelled (also by --on-interrupt cancel)
  5  invalid request; nothing was changed
  6  still running: this client stopped waiting (--timeout, Ctrl-C), the deployment goes on
  7  Prefect cannot be reached

In GitHub Actions the workflow run, its address, the commit, the actor and an idempotency key are filled in, and the
outcome is written to the step summary and to the step's outputs correlation-id, status, stack-outputs (JSON) and
flow-run-url.
"""

_LAST_LINES_SECONDS = 1.0
"""Worth waiting for when something went wrong, not when all is well."""


@click.command(epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--template", required=True, metavar="FILE", help="A file, - for standard input, or s3:// or https://.")
@click.option("--parameter", "pairs", multiple=True, metavar="K=V", help="A stack parameter; may be repeated.")
@click.option(
    "--parameters-file",
    type=click.Path(path_type=Path),
    metavar="JSON",
    help="Stack parameters: an object, or the AWS CLI's list; --parameter overrides it.",
)
@click.option(
    "--capability", "capabilities", multiple=True, metavar="C", help="CAPABILITY_IAM and its like; may be repeated."
)
@click.option("--tag", "tag_pairs", multiple=True, metavar="K=V", help="A stack tag; may be repeated.")
@click.option("--git-sha", metavar="SHA", help="The commit that is deployed.")
@click.option("--actor", metavar="NAME", help="Who asks; by default the login name.")
@click.option("--workflow-run-id", metavar="ID", help="The CI run that asks.")
@click.option("--github-run-url", metavar="URL", help="Its address.")
@click.option("--idempotency-key", metavar="KEY", help="Asking again with the same key joins the first request.")
@click.option(
    "--timeout",
    "timeout_minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="MINUTES",
    help="Stop waiting after this; the deployment goes on. By default it is followed to its end.",
)
@click.option(
    "--on-interrupt",
    type=click.Choice(["leave", "cancel"]),
    default="leave",
    show_default=True,
    help="What Ctrl-C, or the end of a cancelled CI job, does to the deployment.",
)
@click.option("--no-wait", is_flag=True, help="Ask and leave: do not follow it.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON document; the log goes to stderr.")
def deploy(environment: str, *, as_json: bool, **options: Any) -> int:
    """Deploy a template to the environment ENV and follow it to its end."""
    from interlock.cli import outcome as outcomes  # noqa: PLC0415 - after the arguments are known to be right

    try:
        outcome = _deploy(environment, as_json=as_json, **options)
    except InterlockError as error:
        _report(outcomes.of_error(error, environment), as_json=as_json, is_told_as_error=True)
        raise
    _report(outcome, as_json=as_json)
    return int(outcome.exit_code)


def _deploy(
    environment: str,
    *,
    timeout_minutes: float | None,
    no_wait: bool,
    as_json: bool,
    on_interrupt: str,
    idempotency_key: str | None,
    **options: Any,
) -> "Outcome":
    from interlock.cli import github_actions  # noqa: PLC0415 - only when needed

    request, key = _request(environment, idempotency_key, **options)
    from interlock.cli.display import display_for  # noqa: PLC0415 - only when needed
    from interlock.cli.follow import Follower  # noqa: PLC0415 - only when needed
    from interlock.cli.interrupts import interruptible  # noqa: PLC0415 - only when needed
    from interlock.prefect_api import PrefectApi  # noqa: PLC0415 - httpx takes its time: only now is it worth it

    api = PrefectApi(os.environ)
    stream = sys.stderr if as_json else sys.stdout
    display = display_for(stream, environment, is_ci=github_actions.is_github_actions(os.environ))
    follower = Follower(api, display, timeout_seconds=None if timeout_minutes is None else 60 * timeout_minutes)
    with interruptible():
        return _ask_and_follow(api, request, key, follower, display, no_wait=no_wait, on_interrupt=on_interrupt)


def _ask_and_follow(
    api: "PrefectApi",
    request: dict[str, Any],
    key: str,
    follower: "Follower",
    display: "Display",
    *,
    no_wait: bool,
    on_interrupt: str,
) -> "Outcome":
    from interlock.cli import interrupts  # noqa: PLC0415 - only when needed
    from interlock.cli import outcome as outcomes  # noqa: PLC0415 - only when needed
    from interlock.cli.follow import StoppedWaitingError  # noqa: PLC0415 - only when needed

    environment, actor = request["environment"], request["actor"]
    tags = [f"actor:{actor}"] if actor else []
    ask = partial(api.create_flow_run, api.deployment_id(environment), request, idempotency_key=key, tags=tags)
    try:
        run = ask()
    except KeyboardInterrupt as interrupt:
        if on_interrupt == interrupts.CANCEL:
            with interrupts.undisturbed():  # asked again, with the key: only so is it known which run to cancel
                return interrupts.cancel(api, ask(), environment)
        raise StoppedWaitingError(
            "Interrupted while asking: the deployment may have begun.",
            environment=environment,
            next_step=f"`interlock status {environment}` tells.",
        ) from interrupt
    if no_wait:
        return outcomes.make("REQUESTED", environment, api=api, run=run)
    return _follow(api, run, environment, follower, display, on_interrupt=on_interrupt)


def _request(
    environment: str,
    idempotency_key: str | None,
    *,
    template: str,
    pairs: tuple[str, ...],
    parameters_file: Path | None,
    capabilities: tuple[str, ...],
    tag_pairs: tuple[str, ...],
    **about: str | None,
) -> tuple[dict[str, Any], str]:
    """The flow's parameters, and the key that makes asking for them twice harmless."""
    from interlock.cli import github_actions, request  # noqa: PLC0415 - only when needed

    job = github_actions.job(os.environ)
    asked: dict[str, Any] = {
        "environment": environment,
        "template": request.read_template(template),
        "parameters": request.read_parameters(pairs, parameters_file),
        "capabilities": list(capabilities),
        "tags": request.read_tags(tag_pairs),
        "workflow_run_id": about["workflow_run_id"] or job.workflow_run_id,
        "github_run_url": about["github_run_url"] or job.run_url,
        "git_sha": about["git_sha"] or job.git_sha,
        "actor": about["actor"] or job.actor or _login_name(),
    }
    key = idempotency_key or job.idempotency_key(environment, request.fingerprint(asked)) or f"interlock-{uuid.uuid4()}"
    return asked, key


def _login_name() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return None


def _follow(
    api: "PrefectApi", run: "FlowRun", environment: str, follower: "Follower", display: "Display", *, on_interrupt: str
) -> "Outcome":
    """The outcome, or why this client stopped looking: then the run's latest state names the deployment."""
    from interlock.cli import interrupts  # noqa: PLC0415 - only when needed
    from interlock.cli import outcome as outcomes  # noqa: PLC0415 - only when needed
    from interlock.cli.follow import StoppedWaitingError  # noqa: PLC0415 - only when needed

    status, goes_on = "STILL_RUNNING", "The deployment goes on without this client."
    try:
        with display:
            return see_through(api, run, environment, follower, display)
    except StoppedWaitingError as stop:
        reason = f"{stop.message} {goes_on}"
    except KeyboardInterrupt:
        if on_interrupt == interrupts.CANCEL:
            return interrupts.cancel(api, follower.run or run, environment)
        reason = f"Interrupted. {goes_on}"
    except PrefectUnreachableError as error:
        status, reason = "UNREACHABLE", f"{error.message} The deployment goes on, if its process can."
    return outcomes.make(status, environment, {"reason": reason}, api=api, run=follower.run or run)


def see_through(
    api: "PrefectApi", run: "FlowRun", environment: str, follower: "Follower", display: "Display"
) -> "Outcome":
    """Follow the run to its end, whichever process brings it there.

    Raises:
        StoppedWaitingError: the follower's timeout is over.
        PrefectUnreachableError: the server has been away for too long.
    """
    from interlock.cli import outcome as outcomes  # noqa: PLC0415 - only when needed

    display.notice(f"{'Joined the run asked for before' if run.is_reused else 'Asked for'}: {api.flow_run_url(run.id)}")
    while (outcome := outcomes.read(api, follower.follow(run), environment)) is None:
        display.notice("The run's process died; another one sees the deployment through.")
    follower.read_last_lines(patience_seconds=0 if outcome.exit_code == 0 else _LAST_LINES_SECONDS)
    return outcome


def _report(outcome: "Outcome", *, as_json: bool, is_told_as_error: bool = False) -> None:
    from interlock.cli import github_actions, summary  # noqa: PLC0415 - only when needed

    github_actions.report(outcome)
    if as_json:
        click.echo(json.dumps(outcome.as_json(), indent=2))
    elif not is_told_as_error:
        click.echo(summary.text(outcome))
