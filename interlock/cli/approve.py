"""`interlock approve` and `interlock deny`: a person's say over a deployment that waits for it."""

import click

from interlock.cli.cancel import find_run, login_name


@click.command(short_help="Approve the changes that a deployment asks about.")
@click.argument("deployment", metavar="CORRELATION_ID")
@click.option("--reason", metavar="TEXT", default="", help="Kept on record.")
@click.option("--actor", metavar="NAME", help="Who approves; by default the login name.")
@click.option("--changes", "seen", metavar="HASH", default="", help="Only if these are the changes it asks about.")
def approve(deployment: str, reason: str, actor: str | None, seen: str) -> None:
    """Approve the changes of the deployment CORRELATION_ID.

    It waits for its turn again and makes them, if they are still the same then; otherwise it asks again. The id of a
    flow run will do as well.
    """
    _decide(deployment, "approve", reason, actor, seen)


@click.command(short_help="Deny them: the deployment ends, nothing is changed.")
@click.argument("deployment", metavar="CORRELATION_ID")
@click.option("--reason", metavar="TEXT", required=True, help="Kept on record, and told to whoever asked.")
@click.option("--actor", metavar="NAME", help="Who denies; by default the login name.")
def deny(deployment: str, reason: str, actor: str | None) -> None:
    """Deny the changes of the deployment CORRELATION_ID: it ends, and nothing is changed.

    The id of a flow run will do as well.
    """
    _decide(deployment, "deny", reason, actor, "")


def _decide(deployment: str, decision: str, reason: str, actor: str | None, seen: str) -> None:
    api, run = find_run(deployment)
    answer = {"decision": decision, "actor": actor or login_name(), "reason": reason, "hash": seen}
    api.resume(run, answer)
    done = "Approved" if decision == "approve" else "Denied"
    click.echo(f"{done} {run.correlation_id or run.id} as {answer['actor']}: {api.flow_run_url(run.id)}")
