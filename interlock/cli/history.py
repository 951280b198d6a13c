"""`interlock history`: the last deployments of an environment."""

import json
import sys
from typing import TYPE_CHECKING

import click

from interlock.cli.text import one_line
from interlock.notifications.durations import duration

if TYPE_CHECKING:
    from interlock.models.deployment import Deployment

_WIDE = 220
"""Columns where there is no terminal to fit: a file takes lines of any length."""


@click.command(short_help="The last deployments of ENV, newest first.")
@click.argument("environment", metavar="ENV")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as a JSON list.")
def history(environment: str, limit: int, *, as_json: bool) -> None:
    """The last deployments of the environment ENV, newest first."""
    from interlock.models.environment import is_environment_name  # noqa: PLC0415 - models take their time
    from interlock.wiring import installation  # noqa: PLC0415 - as above

    here = installation()
    if not is_environment_name(environment):
        here.environment(environment)  # never one, so an error before the registry is opened
    found = here.registry.deployments.history(environment, limit=limit)
    if not found:
        here.environment(environment)  # a mistyped name is an error, not an empty history
    if as_json:
        click.echo(
            json.dumps([deployment.model_dump(mode="json", exclude={"operation"}) for deployment in found], indent=2)
        )
    elif found:
        _print_table(found)
    else:
        click.echo(f"{environment} has no deployments yet.")


def _print_table(deployments: "list[Deployment]") -> None:
    from rich.console import Console  # noqa: PLC0415 - not needed for JSON
    from rich.table import Table  # noqa: PLC0415 - only when needed
    from rich.text import Text  # noqa: PLC0415 - only when needed

    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("Correlation id", "Status", "Started (UTC)", "Waited", "Took", "By"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Reason", overflow="ellipsis", no_wrap=True)
    for deployment in deployments:
        table.add_row(*_cells(deployment), Text(one_line(deployment.reason or "")))
    Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False).print(table)


def _cells(deployment: "Deployment") -> list[str]:
    status = "NO CHANGES" if deployment.no_changes else deployment.status.replace("_", " ")
    waited, took = deployment.queue_seconds, deployment.duration_seconds
    return [
        deployment.correlation_id,
        f"[{_colour(deployment)}]{status}[/]",
        f"{deployment.started_at:%Y-%m-%d %H:%M}",
        "" if waited is None else duration(waited),
        "" if took is None else duration(took),
        one_line(deployment.actor or "").replace("[", "\\["),
    ]


def _colour(deployment: "Deployment") -> str:
    if not deployment.status.is_final:
        return "cyan"
    return "green" if deployment.status == "SUCCEEDED" else "red"
