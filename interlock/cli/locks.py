"""`interlock locks`: an environment's lock, its freeze windows, and who did what about them."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.text import instant, labelled, one_line

if TYPE_CHECKING:
    from interlock.models.environment import Environment
    from interlock.wiring import Installation


@click.command(short_help="The lock and the freeze windows of ENV; who did what.")
@click.argument("environment", metavar="ENV")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, metavar="N", help="Audit lines.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def locks(environment: str, *, limit: int, as_json: bool) -> None:
    """The lock of the environment ENV, its freeze windows, and the audit of locks, overrides and forced releases."""
    from interlock.wiring import installation  # noqa: PLC0415 - models take their time

    here = installation()
    found = _found(here, here.environment(environment), limit)
    click.echo(json.dumps(found, indent=2) if as_json else _text(environment, found))


def _found(here: "Installation", environment: "Environment", limit: int) -> dict[str, Any]:
    from interlock.locks import lock_on  # noqa: PLC0415 - models take their time

    now = here.clock()
    lock = lock_on(here.registry, environment, now)
    windows = [(window, window.next_start(now)) for window in environment.freeze]
    events = here.registry.locks.events(environment.name, limit=limit)
    return {
        "environment": environment.name,
        "lock": lock.model_dump(mode="json") if lock else None,
        "in_words": lock.in_words if lock else "not locked",
        "freeze": [
            {**window.model_dump(mode="json"), "next_start": start.isoformat() if start else None}
            for window, start in windows
        ],
        "events": [event.model_dump(mode="json") for event in events],
    }


def _text(environment: str, found: dict[str, Any]) -> str:
    heading = click.style(one_line(f"{environment}: {found['in_words']}"), bold=True)
    windows = labelled(("Freeze window", _window(window)) for window in found["freeze"])
    lines = [_line(event) for event in found["events"]]
    return "\n".join(part for part in [heading, windows, *lines] if part)


def _window(window: dict[str, Any]) -> str:
    at = f"{window['cron']} ({window['time_zone']}) for {window['hours']:g} h"
    return f"{at}, next {_instant(window['next_start'])}: {window['reason']}"


def _line(event: dict[str, Any]) -> str:
    about = f" [{event['correlation_id']}]" if event["correlation_id"] else ""
    return one_line(f"{_instant(event['timestamp'])}  {event['event']} by {event['by']}{about}: {event['details']}")


def _instant(iso: str | None) -> str:
    return instant(datetime.fromisoformat(iso)) if iso else "never"
