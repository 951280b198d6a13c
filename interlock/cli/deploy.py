"""`interlock deploy`: ask Prefect for a deployment, follow it, and end with an exit code that CI can branch on."""

import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.carry_out import carry_out, following, reported

if TYPE_CHECKING:
    from interlock.cli.outcome import Outcome

_EPILOG = """\b
Examples:
  interlock deploy staging --template stack.yaml
  interlock deploy staging --template stack.yaml --parameter ImageTag=1.4.2 --capability CAPABILITY_IAM
  interlock deploy production --template s3://bucket/stack.yaml --parameters-file production.json --timeout 60
  generate-template | interlock deploy staging --template - --json > outcome.json
  interlock deploy production --template stack.yaml --override-lock --reason "rolls the broken login back"

\b
Exit codes:
  0  succeeded, or nothing to change (with --no-wait: the request was taken)
  1  failed, or failed and rolled back
  2  another deployment is in progress or the environment is locked, and its queue policy is `reject`
  3  waited too long for its turn
  4  superseded by a newer request, cancelled (also by --on-interrupt cancel), denied, or not approved in time
  5  invalid request; nothing was changed
  6  still running: this client stopped waiting (--timeout, Ctrl-C), the deployment goes on
  7  Prefect cannot be reached

In GitHub Actions the workflow run, its address, the commit, the actor and an idempotency key are filled in, and the
outcome is written to the step summary and to the step's outputs correlation-id, status, stack-outputs (JSON) and
flow-run-url.
"""


@click.command(short_help="Deploy a template to ENV and follow it to its end.", epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option("--template", metavar="FILE", help="A file, - for standard input, or s3:// or https://.")
@click.option(
    "--template-of",
    "templates",
    multiple=True,
    metavar="STACK=FILE",
    help="Where ENV has several stacks: the template of one before its last; may be repeated.",
)
@click.option("--no-template", is_flag=True, help="Where ENV has a command of its own that needs none.")
@click.option(
    "--parameter",
    "pairs",
    multiple=True,
    metavar="K=V",
    help="A stack parameter (a secret as secret:<name>); may be repeated.",
)
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
@click.option("--override-lock", is_flag=True, help="An emergency: deploy though the environment is locked. Audited.")
@click.option("--reason", metavar="TEXT", help="Why the lock is overridden; required with --override-lock.")
@click.option("--show-drift", is_flag=True, help="Show first what was changed by hand; takes up to two minutes.")
@click.option("--idempotency-key", metavar="KEY", help="Asking again with the same key joins the first request.")
@following
def deploy(environment: str, *, as_json: bool, no_template: bool, **options: Any) -> int:
    """Deploy a template to the environment ENV and follow it to its end."""
    if no_template == (options["template"] is not None):
        raise click.UsageError(
            "Either --template, or --no-template where ENV has a command of its own that needs none."
        )
    return reported(lambda: _deploy(environment, as_json=as_json, **options), environment, as_json=as_json)


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
    request, key = _request(environment, idempotency_key, **options)
    from interlock.prefect_api import PrefectApi  # noqa: PLC0415 - httpx takes its time: only now is it worth it

    return carry_out(
        PrefectApi(os.environ),
        request,
        key,
        timeout_minutes=timeout_minutes,
        no_wait=no_wait,
        as_json=as_json,
        on_interrupt=on_interrupt,
    )


def _request(
    environment: str,
    idempotency_key: str | None,
    *,
    template: str | None,
    templates: tuple[str, ...],
    pairs: tuple[str, ...],
    parameters_file: Path | None,
    capabilities: tuple[str, ...],
    tag_pairs: tuple[str, ...],
    override_lock: bool,
    reason: str | None,
    show_drift: bool,
    **about: str | None,
) -> tuple[dict[str, Any], str]:
    """The flow's parameters, and the key that makes asking for them twice harmless."""
    from interlock.cli import github_actions, request  # noqa: PLC0415 - only when needed
    from interlock.cli.who import login_name  # noqa: PLC0415 - only when needed

    job = github_actions.job(os.environ)
    asked: dict[str, Any] = {
        "environment": environment,
        "template": request.read_template(template) if template is not None else "",
        **({"templates": others} if (others := request.read_templates(templates)) else {}),
        "parameters": request.read_parameters(pairs, parameters_file),
        "capabilities": list(capabilities),
        "tags": request.read_tags(tag_pairs),
        "workflow_run_id": about["workflow_run_id"] or job.workflow_run_id,
        "github_run_url": about["github_run_url"] or job.run_url,
        "git_sha": about["git_sha"] or job.git_sha,
        "actor": about["actor"] or job.actor or login_name(),
        **request.override(reason, is_wanted=override_lock),
        **({"show_drift": True} if show_drift else {}),
    }
    for text in (asked["template"], *others.values()):
        request.refuse_plain_secrets(text, asked["parameters"])
    key = idempotency_key or job.idempotency_key(environment, request.fingerprint(asked)) or f"interlock-{uuid.uuid4()}"
    return asked, key
