"""`interlock release`: take an environment away from the deployment that has it. For the human who knows better."""

import click

from interlock.errors import InvalidRequestError


@click.command(
    short_help="Take ENV away from a holder that is dead or stuck.",
    epilog="Exit codes: 0 released, or nobody had it; 1 refused; 5 without --force or --reason.",
)
@click.argument("environment", metavar="ENV")
@click.option("--force", is_flag=True, help="Required.")
@click.option("--reason", metavar="TEXT", help="Required: it is kept in the record and told to the channel.")
@click.option("--actor", metavar="NAME", help="Who releases; by default user@host.")
def release(environment: str, *, force: bool, reason: str | None, actor: str | None) -> None:
    """Free the environment ENV, whose holder is dead or stuck.

    Seldom needed: a dead holder's hold runs out after a minute. Refused while an operation runs on the stack, and when
    the stack cannot be read. Needs the registry and AWS.
    """
    from interlock.cli.who import who  # noqa: PLC0415 - only when needed
    from interlock.forced_release import ForcedRelease  # noqa: PLC0415 - models take their time
    from interlock.reasons import stated  # noqa: PLC0415 - as above
    from interlock.wiring import installation  # noqa: PLC0415 - only when needed

    if not force:
        raise InvalidRequestError(["--force: needed, for it takes the environment away from whoever has it"])
    why = stated(reason, "--reason", environment=environment)
    here = installation()
    target = here.environment(environment)
    forced = ForcedRelease(here.registry, target, here.cloudformation(target), here.clock)
    hold = forced.carry_out(by=who(actor), reason=why)
    if hold is None:
        click.echo(f"Nobody has {environment}; nothing was changed.")
        return
    click.echo(f"{environment} is free. {hold.owner} had it; its process, if it lives, changes nothing more.")
    if hold.is_of_recovery:
        return
    click.echo(
        f"How it ended: interlock show {hold.owner}. Its slot and its run are mended by the next `interlock sweep`."
    )
