"""Rehearse a deployment: the whole job with your own template, against a simulated AWS and a local Slack.

Nothing real is touched. The exit code is the deployment's (see `interlock deploy --help`).
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from deployments.rehearsal_system import RehearsalSystem
from deployments.rehearse import report
from deployments.rehearse.drill import Drill, check
from deployments.rehearse.rehearse import ENVIRONMENT, SETTINGS, Rehearsal, rehearse
from deployments.signals import end_on_sigterm
from interlock.cli import outcome as outcomes
from interlock.cli.request import read_parameters, read_template
from interlock.cli.telling import run
from interlock.errors import InterlockError, InvalidRequestError

_EPILOG = """\b
Examples:
  interlock rehearse deploy --template stack.yaml --parameter Stage=test
  interlock rehearse deploy --template stack.yaml --fail Database     how would that failure look?
  interlock rehearse deploy --template stack.yaml --stall Service     would a stall be noticed?
"""


@click.command(help=__doc__, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--template", required=True, metavar="FILE", help="A file, or - for standard input.")
@click.option("--parameter", "pairs", multiple=True, metavar="K=V", help="A stack parameter; may be repeated.")
@click.option(
    "--capability", "capabilities", multiple=True, metavar="C", help="All are granted in a rehearsal; none is needed."
)
@click.option("--fail", metavar="LOGICAL_ID", help="Let this resource fail.")
@click.option("--stall", metavar="LOGICAL_ID", help="Let this resource stand still until that is noticed.")
@click.option(
    "--seconds", default=0.5, show_default=True, type=click.FloatRange(min=0), help="How long each resource takes."
)
@click.option("--keep", is_flag=True, help="Leave it running to look at, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON document; the log goes to stderr.")
def _rehearse(
    *,
    template: str,
    pairs: tuple[str, ...],
    capabilities: tuple[str, ...],
    fail: str | None,
    stall: str | None,
    seconds: float,
    keep: bool,
    as_json: bool,
) -> int:
    system = RehearsalSystem({ENVIRONMENT: SETTINGS}, resource_seconds=seconds)
    with _errors_as_json(as_json=as_json):
        drill = Drill(_local(template), read_parameters(pairs, None), capabilities, fail, stall)
        check(drill, system.environments[ENVIRONMENT])
        click.echo("Starting Prefect, the flows, a simulated AWS and a local Slack: about 20 s ...", err=True)
        with system:
            found = rehearse(system, drill, sys.stderr if as_json else sys.stdout)
            _report(found, as_json=as_json)
            if keep:
                _keep(system)
    return int(found.outcome.exit_code)


def _local(template: str) -> str:
    """The simulated AWS has no buckets of the person's, and a rehearsal reads nothing over the network."""
    if template.startswith(("s3://", "https://")):
        raise InvalidRequestError([f"--template: {template.partition('?')[0]} is not a local file"])
    return read_template(template)


def _report(found: Rehearsal, *, as_json: bool) -> None:
    click.echo(json.dumps(found.as_json(), indent=2) if as_json else f"\n{report.text(found)}")


@contextmanager
def _errors_as_json(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except InterlockError as error:
        if as_json:
            click.echo(json.dumps(outcomes.of_error(error, ENVIRONMENT).as_json(), indent=2))
        raise


def _keep(system: RehearsalSystem) -> None:
    click.echo(f"\nPrefect UI: {system.ui_url}\nSlack: {system.slack.url}\nRunning until Ctrl-C ...", err=True)
    try:
        system.up.supervise()
    except KeyboardInterrupt:
        click.echo("Stopping ...", err=True)


def main() -> None:
    end_on_sigterm()
    sys.exit(run(_rehearse, None, "interlock rehearse deploy"))


if __name__ == "__main__":
    main()
