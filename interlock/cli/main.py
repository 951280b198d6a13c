"""`interlock`: the group of all commands.

A command's module is imported when the command is called: the group itself must start at once.
"""

import importlib
from collections.abc import Sequence

import click

from interlock.cli.telling import run

_COMMANDS = {
    "deploy": "interlock.cli.deploy",
    "status": "interlock.cli.status",
    "history": "interlock.cli.history",
    "show": "interlock.cli.show",
    "cancel": "interlock.cli.cancel",
    "approve": "interlock.cli.approve",
    "deny": "interlock.cli.approve",
    "rollback": "interlock.cli.rollback",
    "lock": "interlock.cli.lock",
    "unlock": "interlock.cli.lock",
    "locks": "interlock.cli.locks",
    "release": "interlock.cli.release",
    "setup": "interlock.cli.handover",
    "up": "interlock.cli.handover",
    "sweep": "interlock.cli.handover",
    "doctor": "interlock.cli.handover",
    "demo": "interlock.cli.handover",
    "rehearse": "interlock.cli.handover",
}


class _LazyGroup(click.Group):
    """Knows its commands by name and imports one when it is wanted. Their order in the help is that of use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name)
        return command if isinstance(command, click.Command) else None


def _tell_version(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    if not is_wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only when needed

    try:
        click.echo(f"interlock {version('interlock')}")
    except PackageNotFoundError:
        click.echo("interlock, from a checkout")
    context.exit()


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
def interlock() -> None:
    """Deploy AWS CloudFormation stacks, one deployment per environment at a time.

    \b
    First steps on one machine:
      interlock up                                      a Prefect server and the flows
      interlock deploy staging --template stack.yaml    deploy, and follow it here
      interlock status staging                          may one deploy now? who does?

    `deploy`, `approve`, `deny`, `cancel` and `rollback` speak to Prefect at PREFECT_API_URL (http://127.0.0.1:4200/api
    unless it is set); the others, `status` to `release`, use the registry that INTERLOCK_REGISTRY names.
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run(interlock, arguments, "interlock")
