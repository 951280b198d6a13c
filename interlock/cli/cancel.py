"""`interlock cancel`: ask Prefect to cancel a deployment's run."""

import os
import uuid
from typing import TYPE_CHECKING

import click

from interlock.correlation_id import is_correlation_id
from interlock.errors import InvalidRequestError

if TYPE_CHECKING:
    from interlock.prefect_api import PrefectApi
    from interlock.prefect_values import FlowRun


@click.command(short_help="Cancel a deployment: waiting or deploying.")
@click.argument("deployment", metavar="CORRELATION_ID")
@click.option("--reason", metavar="TEXT", help="Kept with the run, for those who wonder later.")
def cancel(deployment: str, reason: str | None) -> None:
    """Cancel the deployment CORRELATION_ID.

    One that waits leaves the queue. One that is deploying has its stack operation cancelled; the rollback takes its
    time, and the environment is free after it. The id of a flow run will do as well.
    """
    api, run = find_run(deployment)
    api.cancel(run, reason=reason or f"Cancelled by {login_name()} with interlock cancel.")
    if run.is_suspended:
        api.sweep()  # it waited for approval, without a process that could record its end
    click.echo(f"Asked to cancel {run.correlation_id or run.id}: {api.flow_run_url(run.id)}")
    if run.correlation_id:
        click.echo(f"Look how it ends: interlock show {run.correlation_id}")


def find_run(deployment: str) -> "tuple[PrefectApi, FlowRun]":
    """Prefect, and the run that a person names by its correlation id or its own."""
    insist_on_id(deployment)
    from interlock.prefect_api import PrefectApi  # noqa: PLC0415 - httpx takes its time

    api = PrefectApi(os.environ)
    return api, api.flow_run(deployment) if _is_flow_run_id(deployment) else api.flow_run_of(deployment)


def insist_on_id(deployment: str) -> None:
    """Before anything is asked or opened.

    Raises:
        InvalidRequestError: it is neither a correlation id nor a flow run's.
    """
    if not is_correlation_id(deployment) and not _is_flow_run_id(deployment):
        raise InvalidRequestError([f"{deployment!r} is no correlation id (YYYYMMDD-HHMMSS-xxxxxxxx)"])


def login_name() -> str:
    return os.environ.get("GITHUB_ACTOR") or os.environ.get("USER") or "somebody"


def _is_flow_run_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
