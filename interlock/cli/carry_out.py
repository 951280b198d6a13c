"""Ask Prefect for a deployment, follow it, and report how it ended: what `deploy` and `rollback` have in common."""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from interlock.errors import InterlockError, PrefectUnreachableError

if TYPE_CHECKING:
    from interlock.cli.display import Display
    from interlock.cli.follow import Follower
    from interlock.cli.outcome import Outcome
    from interlock.prefect_api import PrefectApi
    from interlock.prefect_values import FlowRun

_LAST_LINES_SECONDS = 1.0
"""Worth waiting for when something went wrong, not when all is well."""

_FOLLOWING = (
    click.option(
        "--timeout",
        "timeout_minutes",
        type=click.FloatRange(min=0, min_open=True),
        metavar="MINUTES",
        help="Stop waiting after this; the deployment goes on. By default it is followed to its end.",
    ),
    click.option(
        "--on-interrupt",
        type=click.Choice(["leave", "cancel"]),
        default="leave",
        show_default=True,
        help="What Ctrl-C, or the end of a cancelled CI job, does to the deployment.",
    ),
    click.option("--no-wait", is_flag=True, help="Ask and leave: do not follow it."),
    click.option(
        "--json", "as_json", is_flag=True, help="Print the outcome as one JSON document; the log goes to stderr."
    ),
)


def following(command: Callable[..., int]) -> Callable[..., int]:
    """The options of a command that asks for a deployment and follows it: those of `carry_out`."""
    for option in reversed(_FOLLOWING):
        command = option(command)
    return command


def reported(attempt: Callable[[], "Outcome"], environment: str, *, as_json: bool) -> int:
    """The exit code of what came of it, which is told to a person, a script and GitHub alike."""
    from interlock.cli import outcome as outcomes  # noqa: PLC0415 - after the arguments are known to be right

    try:
        outcome = attempt()
    except InterlockError as error:
        _report(outcomes.of_error(error, environment), as_json=as_json, is_told_as_error=True)
        raise
    _report(outcome, as_json=as_json)
    return int(outcome.exit_code)


def carry_out(
    api: "PrefectApi",
    request: dict[str, Any],
    key: str,
    *,
    timeout_minutes: float | None,
    no_wait: bool,
    as_json: bool,
    on_interrupt: str,
) -> "Outcome":
    """Ask for the deployment and follow it."""
    from interlock.cli import github_actions  # noqa: PLC0415 - only when needed
    from interlock.cli.display import display_for  # noqa: PLC0415 - only when needed
    from interlock.cli.follow import Follower  # noqa: PLC0415 - only when needed
    from interlock.cli.interrupts import interruptible  # noqa: PLC0415 - only when needed

    stream = sys.stderr if as_json else sys.stdout
    display = display_for(stream, request["environment"], is_ci=github_actions.is_github_actions(os.environ))
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
