"""`interlock show`: all that the registry knows of one deployment."""

import json
from typing import TYPE_CHECKING, Any

import click

from interlock.cli.text import instant, labelled, one_line, safe
from interlock.notifications.durations import duration

if TYPE_CHECKING:
    from interlock.models.deployment import Deployment
    from interlock.models.notice import OutboxRow
    from interlock.registry import Registry

_UUID_LENGTH = 36
_HASH_LENGTH = 12


@click.command(short_help="The record of one deployment: events, messages, outcome.")
@click.argument("deployment", metavar="CORRELATION_ID")
@click.option("--json", "as_json", is_flag=True, help="Print the record, with its messages, as JSON.")
def show(deployment: str, *, as_json: bool) -> None:
    """The record of the deployment CORRELATION_ID, its events, and its messages as they were written.

    The id of a flow run will do as well.
    """
    from interlock.cli.cancel import insist_on_id  # noqa: PLC0415 - only when needed
    from interlock.wiring import installation  # noqa: PLC0415 - models take their time

    insist_on_id(deployment)
    registry = installation().registry
    found = _find(registry, deployment)
    rows, thread = registry.outbox.rows(found.correlation_id), registry.outbox.thread(found.correlation_id)
    slack_thread_url = thread.url if thread else None
    if as_json:
        messages = [_message(found, row) for row in rows]
        whole = {**found.model_dump(mode="json"), "slack_thread_url": slack_thread_url, "messages": messages}
        click.echo(json.dumps(whole, indent=2))
    else:
        click.echo("\n".join([*_record(found, slack_thread_url), *_events(found), *_messages(found, rows)]))


def _find(registry: "Registry", name: str) -> "Deployment":
    of_flow_run = registry.deployments.of_flow_run(name) if len(name) == _UUID_LENGTH else None
    return registry.deployments.get(of_flow_run.correlation_id if of_flow_run else name)


def _record(found: "Deployment", slack_thread_url: str | None) -> list[str]:
    waited, took = found.queue_seconds, found.duration_seconds
    heading = (
        f"{found.correlation_id}  {found.status.replace('_', ' ')}{' (nothing to change)' if found.no_changes else ''}"
    )
    rows = [
        ("Environment", f"{found.environment}, stack {found.stack_in_words}"),
        ("Started", instant(found.started_at) + (f" by {found.actor}" if found.actor else "")),
        ("New attempt of", found.retry_of),
        ("Finished", instant(found.finished_at) if found.finished_at else None),
        ("Waited", None if waited is None else duration(waited)),
        ("Took", None if took is None else duration(took)),
        ("Reason", found.reason),
        ("Stack status", found.stack_status),
        ("Changes", ", ".join(f"{count} {what.lower()}" for what, count in found.change_counts.items())),
        ("Approval", _approval(found)),
        ("Commit", found.git_sha),
        ("Application", found.application_url),
        ("Prefect run", found.flow_run_url),
        ("CI run", found.github_run_url),
        ("AWS console", found.aws_console_url),
        ("Slack thread", slack_thread_url),
        *((f"Output {name}", value) for name, value in found.outputs.items()),
    ]
    return [click.style(heading, bold=True), labelled(rows)]


def _approval(found: "Deployment") -> str | None:
    asked = found.approval
    if asked is None:
        return None
    if asked.decided_at is None:
        return f"waits for one until {instant(asked.expires_at)} (changes {asked.hash[:_HASH_LENGTH]})"
    why = f": {asked.reason}" if asked.reason else ""
    return f"{asked.decision} by {asked.decided_by}, {instant(asked.decided_at)}{why}"


def _events(found: "Deployment") -> list[str]:
    if not found.events:
        return []
    lines = [
        f"  {event.timestamp:%H:%M:%S}  {event.event:<28}{one_line(event.details)}".rstrip() for event in found.events
    ]
    return ["", click.style("Events", bold=True), *lines]


def _messages(found: "Deployment", rows: "list[OutboxRow]") -> list[str]:
    lines: list[str] = []
    for row in rows:
        trouble = f" ({row.last_error})" if row.last_error else ""
        lines.append(click.style(f"  {row.written_at:%H:%M:%S}  {row.state}{one_line(trouble)}", dim=True))
        lines += [f"    {line}" for line in safe(_text(found, row)).splitlines()]
    return ["", click.style("Messages", bold=True), *lines] if lines else []


def _message(found: "Deployment", row: "OutboxRow") -> dict[str, Any]:
    whole = row.model_dump(mode="json", exclude={"correlation_id", "notice"})
    return {**whole, "kind": row.notice.kind.value, "facts": row.notice.facts, "text": _text(found, row)}


def _text(found: "Deployment", row: "OutboxRow") -> str:
    from interlock.notifications.messages import plain_text, render  # noqa: PLC0415 - only when needed

    return plain_text(render(found, row.notice))
