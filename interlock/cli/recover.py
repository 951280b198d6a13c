"""`interlock recover`: continue the rollback of a stack in UPDATE_ROLLBACK_FAILED, once a person has seen what blocks it."""

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from interlock.errors import ExitCode, InterlockError, InvalidRequestError

if TYPE_CHECKING:
    from interlock.blocked_rollback import BlockedRollback
    from interlock.continued_rollback import ContinuedRollback, Recovered, Wish

_EPILOG = """\b
Exit codes:
  0  the stack is in UPDATE_ROLLBACK_COMPLETE
  1  the rollback failed again, or CloudFormation refused
  2  somebody has the environment, or an operation runs on its stack; nothing was changed
  5  not confirmed, nothing to recover, or a name that cannot be skipped; nothing was changed
  6  interrupted: the operation goes on without this command
"""
_NO_REASON = "no reason was given"


@click.command(epilog=_EPILOG)
@click.argument("environment", metavar="ENV")
@click.option(
    "--skip",
    "skipped",
    multiple=True,
    metavar="LOGICAL_ID",
    help="Leave this resource as it is, though it blocks; NESTED_STACK.LOGICAL_ID in a nested one. May be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask; needed where there is nobody to ask.")
@click.option("--reason", metavar="TEXT", help="Why: kept in the audit and told to the channel.")
@click.option("--actor", metavar="NAME", help="Who recovers; by default user@host.")
@click.option("--json", "as_json", is_flag=True, help="Print what came of it as one JSON document; the rest to stderr.")
def recover(environment: str, *, as_json: bool, **options: Any) -> int:
    """Continue the failed rollback of the stack of ENV, and follow it to its end.

    Shows what blocks the rollback, with CloudFormation's reasons, and asks. Nothing is skipped unless it is named. The
    environment is held meanwhile: no deployment begins. A lock does not keep it out. Needs the registry and AWS.
    """
    from interlock.cli.recover_text import document  # noqa: PLC0415 - only when needed

    told: dict[str, Any] = {"environment": environment, "skipped": list(options["skipped"])}
    try:
        return _recover(environment, told, as_json=as_json, **options)
    except InterlockError as error:
        told |= {"exit_code": int(error.exit_code), "reason": error.message.strip()}
        raise
    finally:
        if as_json:
            click.echo(json.dumps(document(told), indent=2))


def _recover(
    environment: str,
    told: dict[str, Any],
    *,
    skipped: tuple[str, ...],
    yes: bool,
    reason: str | None,
    actor: str | None,
    as_json: bool,
) -> int:
    from interlock.cli.recover_text import blocked_lines  # noqa: PLC0415 - only when needed
    from interlock.cli.who import who  # noqa: PLC0415 - only when needed
    from interlock.continued_rollback import Wish  # noqa: PLC0415 - models take their time
    from interlock.reasons import stated  # noqa: PLC0415 - as above

    why = stated(reason, "--reason", environment=environment) if reason else _NO_REASON
    wish = Wish(by=who(actor), reason=why, skip=tuple(dict.fromkeys(skipped)))
    work = _work(environment)
    blocked = work.look()
    told["blocked"] = blocked
    _say(blocked_lines(blocked), as_json=as_json)
    blocked.require_skippable(wish.skip)
    _confirm(blocked, wish.skip, is_agreed=yes)
    return _carry_out(work, blocked, wish, told, as_json=as_json)


def _work(environment: str) -> "ContinuedRollback":
    from interlock.continued_rollback import ContinuedRollback  # noqa: PLC0415 - models take their time
    from interlock.several_stacks import stack_to_look_at  # noqa: PLC0415 - as above
    from interlock.wiring import installation  # noqa: PLC0415 - only when needed

    here = installation()
    target = here.environment(environment)
    cloudformation = here.cloudformation(target)
    if target.stacks_before and (stack := stack_to_look_at(cloudformation.stack, target)):
        target = target.at(stack.name)
    return ContinuedRollback(here.registry, target, cloudformation, here.clock, time.sleep)


def _confirm(blocked: "BlockedRollback", skip: Sequence[str], *, is_agreed: bool) -> None:
    skipping = f"skipping {', '.join(skip)}" if skip else "skipping nothing"
    click.echo(f"ContinueUpdateRollback of {blocked.stack.name}, {skipping}.", err=True)
    if is_agreed:
        return
    if not sys.stdin.isatty():
        may = f"; to leave a resource as it is, --skip {' or '.join(blocked.skippable)}" if blocked.skippable else ""
        raise InvalidRequestError([f"--yes: needed, there is nobody to ask{may}"], environment=blocked.environment)
    if not click.confirm("Do that?", err=True):
        raise InvalidRequestError(["not confirmed"], environment=blocked.environment)


def _carry_out(
    work: "ContinuedRollback", blocked: "BlockedRollback", wish: "Wish", told: dict[str, Any], *, as_json: bool
) -> int:
    from interlock.cli.recover_text import event_line  # noqa: PLC0415 - only when needed

    try:
        recovered = work.carry_out(blocked, wish, lambda event: _say([event_line(event)], as_json=as_json))
    except KeyboardInterrupt:
        reason = f"Interrupted. An operation that has begun goes on; `interlock status {blocked.environment}` tells."
        click.echo(reason, err=True)
        told |= {"exit_code": int(ExitCode.STILL_RUNNING), "reason": reason}
        return ExitCode.STILL_RUNNING
    return _report(recovered, told, as_json=as_json)


def _report(recovered: "Recovered", told: dict[str, Any], *, as_json: bool) -> int:
    from interlock.cli.recover_text import blocked_lines  # noqa: PLC0415 - only when needed

    code = ExitCode.SUCCEEDED if recovered.is_well else ExitCode.FAILED
    told |= {"recovered": recovered, "exit_code": int(code)}
    if recovered.still_blocked:
        told["blocked"] = recovered.still_blocked
        _say(blocked_lines(recovered.still_blocked), as_json=as_json)
    ending = "deploy again." if recovered.is_well else "the rollback failed again."
    _say([f"{told['environment']}: the stack is in {recovered.status}; {ending}"], as_json=as_json)
    if recovered.not_recorded:
        click.echo(f"Its end is not on record: {recovered.not_recorded}", err=True)
    return code


def _say(lines: list[str], *, as_json: bool) -> None:
    for line in lines:
        click.echo(line, err=as_json)
