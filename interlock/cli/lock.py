"""`interlock lock` and `interlock unlock`: nobody new deploys to an environment until it is unlocked."""

from typing import TYPE_CHECKING

import click

from interlock.cli.text import one_line

if TYPE_CHECKING:
    from interlock.models.environment import Environment
    from interlock.wiring import Installation


@click.command(short_help="Let no new deployment of ENV begin, for a while.")
@click.argument("environment", metavar="ENV")
@click.option("--reason", metavar="TEXT", help="Required: it is shown to everybody who is kept waiting.")
@click.option(
    "--until", metavar="T", help="When it ends by itself: 2h, 1d12h, 2026-12-24T18:00+01:00. By default never."
)
@click.option("--actor", metavar="NAME", help="Who locks; by default user@host.")
def lock(environment: str, *, reason: str | None, until: str | None, actor: str | None) -> None:
    """Lock the environment ENV: requests wait, or are rejected, by its queue policy.

    What is deploying already goes on. Locking again changes one's own lock, and no one else's.
    """
    from interlock.cli.moments import moment  # noqa: PLC0415 - only when needed
    from interlock.cli.who import who  # noqa: PLC0415 - only when needed
    from interlock.reasons import stated  # noqa: PLC0415 - models take their time
    from interlock.wiring import installation  # noqa: PLC0415 - only when needed

    why = stated(reason, "--reason", environment=environment)
    here = installation()
    target = here.environment(environment)
    ends = moment(until, "--until", now=here.clock()) if until else None
    made = here.registry.locks.lock(environment, by=who(actor), reason=why, until=ends)
    click.echo(one_line(f"{environment} is {made.in_words}"))
    click.echo(_consequence(target))
    if holder := _holder(here, environment):
        click.echo(f"{holder} is deploying, and goes on.")


def _consequence(environment: "Environment") -> str:
    does = "are rejected" if environment.queue_policy == "reject" else "wait in the queue"
    return f"Requests {does}. An emergency: interlock deploy {environment.name} --override-lock --reason ..."


def _holder(here: "Installation", environment: str) -> str | None:
    hold = here.registry.holds.current(environment)
    return hold.owner if hold and hold.is_live(here.clock()) else None


@click.command(short_help="Take the lock off ENV.")
@click.argument("environment", metavar="ENV")
@click.option("--reason", metavar="TEXT", help="Required to take another person's lock off.")
@click.option("--actor", metavar="NAME", help="Who unlocks; by default user@host.")
def unlock(environment: str, *, reason: str | None, actor: str | None) -> None:
    """Unlock the environment ENV. A freeze window cannot be unlocked; a deployment can override it."""
    from interlock.cli.who import who  # noqa: PLC0415 - only when needed
    from interlock.locks import open_window  # noqa: PLC0415 - models take their time
    from interlock.reasons import stated  # noqa: PLC0415 - as above
    from interlock.wiring import installation  # noqa: PLC0415 - only when needed

    here = installation()
    target, by = here.environment(environment), who(actor)
    on = here.registry.locks.current(environment)
    why = (
        None if reason is None and (on is None or on.by == by) else stated(reason, "--reason", environment=environment)
    )
    if on is None or not here.registry.locks.unlock(on, by=by, reason=why):
        click.echo(f"{environment} is not locked by anybody; nothing was changed.")
    else:
        click.echo(one_line(f"{environment} is unlocked. It was {on.in_words}"))
    if window := open_window(target, here.clock()):
        click.echo(one_line(f"{environment} is still {window.in_words}"))
