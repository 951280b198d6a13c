"""What a person reads after a drill."""

from collections.abc import Iterator

import click

from deployments.rehearse.rehearse import Rehearsal
from interlock.cli import summary
from interlock.cli.text import one_line, safe


def text(rehearsal: Rehearsal) -> str:
    return "\n".join(
        [
            summary.text(rehearsal.outcome),
            *_section("Stall", [rehearsal.stall] if rehearsal.stall else []),
            *_section("Capabilities granted here; a real deployment must name them", _granted(rehearsal)),
            *_section("Resources", _resources(rehearsal)),
            *_section("Stand-ins: made up here, not built as AWS would", _standins(rehearsal)),
            *_section("Slack messages, as they would read", _messages(rehearsal)),
        ]
    )


def _section(title: str, lines: "list[str] | Iterator[str]") -> list[str]:
    found = list(lines)
    return ["", click.style(title, bold=True), *(f"  {line}" for line in found)] if found else []


def _granted(rehearsal: Rehearsal) -> Iterator[str]:
    for capability, why in (rehearsal.granted or {}).items():
        yield f"{capability}: {why}"


def _resources(rehearsal: Rehearsal) -> Iterator[str]:
    width = max((len(each.logical_id) for each in rehearsal.resources), default=0)
    kind = max((len(each.resource_type) for each in rehearsal.resources), default=0)
    for each in rehearsal.resources:
        took = f"{each.seconds:.1f} s" if each.seconds is not None else ""
        reason = f"  {one_line(each.reason)}" if each.reason and (each.status or "").endswith("FAILED") else ""
        yield f"{each.logical_id:<{width}}  {each.resource_type:<{kind}}  {each.status or '':<18}  {took:>7}{reason}".rstrip()


def _standins(rehearsal: Rehearsal) -> Iterator[str]:
    for each in rehearsal.standins:
        yield one_line(f"{each['logical_id'] or '(template)'} ({each['resource_type']}): {each['reason']}")


def _messages(rehearsal: Rehearsal) -> Iterator[str]:
    for message in rehearsal.messages:
        yield from safe(message).splitlines()
        yield ""
