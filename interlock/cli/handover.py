"""Commands that run something: this process becomes the module that does it, which reads its own arguments.

The upper rooms are started, never imported: they need Prefect.
"""

import os
import sys
from importlib.util import find_spec

import click

_AS_THEY_ARE = {"ignore_unknown_options": True, "allow_extra_args": True}


def _handover(name: str, module: str, summary: str) -> click.Command:
    @click.command(name, context_settings=_AS_THEY_ARE, add_help_option=False, help=summary, short_help=summary)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        _require_everything()
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell is wanted

    return command


def _require_everything() -> None:
    """Told here as main tells it: the process to come would end with a traceback."""
    for name in ("prefect", "pydantic"):
        if not find_spec(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


setup = _handover("setup", "deployments.setup", "Register the environments with Prefect; safe to repeat.")
up = _handover("up", "deployments.up", "Run a Prefect server and the flows on this machine.")
sweep = _handover("sweep", "deployments.sweep_now", "Look for what died and clean up after it, now.")
doctor = _handover("doctor", "deployments.doctor", "Check what an installation needs, and say how to mend it.")
demo = _handover("demo", "deployments.demo", "See Interlock at work against a simulated AWS and a local Slack.")


@click.group(short_help="The same with your own template; simulated AWS and Slack.")
def rehearse() -> None:
    """Rehearse without an AWS account: a simulated AWS, a local Slack, a deployment there.

    \b
      interlock rehearse aws --port 4566
      interlock rehearse slack --port 4567
      interlock rehearse deploy --template stack.yaml [--fail LOGICAL_ID] [--stall LOGICAL_ID]
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


rehearse.add_command(_handover("aws", "interlock.rehearsal.aws", "Run the simulated AWS."))
rehearse.add_command(_handover("slack", "interlock.rehearsal.slack", "Run the local Slack."))
rehearse.add_command(_handover("deploy", "deployments.rehearse", "Deploy a template to the simulated AWS."))
