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
    "recover": "interlock.cli.recover",
    "setup": "interlock.cli.handover",
    "up": "interlock.cli.handover",
    "sweep": "interlock.cli.handover",
    "doctor": "interlock.cli.handover",
    "demo": "interlock.cli.handover",
    "rehearse": "interlock.cli.handover",
}
_SECTIONS = {
    "Deploy": ("deploy", "cancel", "rollback"),
    "Look": ("status", "history", "show"),
    "Decide": ("approve", "deny", "lock", "unlock", "locks", "release", "recover"),
    "Run an installation": ("up", "setup", "doctor", "sweep"),
    "Try it without AWS": ("demo", "rehearse"),
}
"""Of the help, in the order of use. A command that is in none is listed after them."""
_EPILOG = """\b
Exit codes:
  0  done: succeeded, nothing to change, ready
  1  failed or rolled back; refused; not ready
  2  another deployment is in progress, or the environment is locked
  3  waited too long for its turn
  4  superseded, cancelled, denied, or not approved in time
  5  wrong command line, environment, template or setting; nothing was changed
  6  still running: this client stopped waiting
  7  Prefect cannot be reached
  130  interrupted

`interlock COMMAND --help` has the options of each."""


class _LazyGroup(click.Group):
    """Knows its commands by name and imports one when it is wanted."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rest = [name for name in _COMMANDS if not any(name in names for names in _SECTIONS.values())]
        for title, names in {**_SECTIONS, "More": tuple(rest)}.items():
            rows = [(name, _summary(self.get_command(ctx, name))) for name in names]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=12)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(_COMMANDS[cmd_name]), cmd_name)
        return command if isinstance(command, click.Command) else None


def _summary(command: click.Command | None) -> str:
    return command.get_short_help_str(90) if command else ""


def _tell_version(context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    if not is_wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - only when needed

    try:
        click.echo(f"interlock {version('interlock')}")
    except PackageNotFoundError:
        click.echo("interlock, from a checkout")
    context.exit()


@click.group(cls=_LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
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
    See it, without an AWS account:
      interlock demo
    Use it, on one machine:
      interlock up                                         a Prefect server and the flows, until Ctrl-C
      interlock doctor                                     is everything as it should be?
      interlock deploy staging --template stack.yaml       deploy, and follow it here
      interlock status staging                             may one deploy now? who does?
      interlock history staging                            what was deployed, by whom, how it ended
    In trouble:
      interlock cancel 20261124-060000-0a1b2c3d            turn that deployment back
      interlock rollback production                        deploy again what was there before
      interlock recover production                         continue a rollback that failed
      interlock lock production --reason audit --until 2h  keep everybody out for a while

    `deploy`, `approve`, `deny`, `cancel` and `rollback` speak to Prefect at PREFECT_API_URL (http://127.0.0.1:4200/api
    unless it is set); the others, `status` to `recover`, use the registry that INTERLOCK_REGISTRY names.
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run(interlock, arguments, "interlock")
