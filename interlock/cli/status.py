"""`interlock status`: may one deploy to an environment now, and if not, who does?"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from interlock.cli.text import instant, labelled
from interlock.errors import ExitCode
from interlock.notifications.durations import minutes

_ACTIVE = "ACTIVE_DEPLOYMENT_IN_PROGRESS"
_WORDS = {
    "READY": "ready to deploy",
    _ACTIVE: "Deployment already in progress",
    "FOREIGN_OPERATION_IN_PROGRESS": "an operation that is not Interlock's runs on the stack",
    "ENVIRONMENT_LOCKED": "locked",
    "STACK_NEEDS_RECOVERY": "the stack needs a person: no deployment can start from its status",
    "REGISTRY_UNAVAILABLE": "the registry cannot be read; what is shown is the stack alone",
    "STACK_UNREADABLE": "the stack cannot be read; this is what the registry knows",
}
_EXIT_CODES = {"READY": ExitCode.SUCCEEDED, _ACTIVE: ExitCode.ALREADY_IN_PROGRESS}


@click.command(
    short_help="May one deploy to ENV now? Who does, and who waits?",
    epilog="Exit codes: 0 ready, 2 a deployment is in progress, 1 another reason not to deploy.",
)
@click.argument("environment", metavar="ENV")
@click.option("--prefect", "of_prefect", is_flag=True, help="Ask Prefect alone: no registry, no AWS; it knows less.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def status(environment: str, *, of_prefect: bool, as_json: bool) -> int:
    """Whether a deployment of the environment ENV can start now; who deploys, and who waits."""
    report = _ask_prefect(environment) if of_prefect else _look(environment)
    if as_json:
        click.echo(json.dumps(report, indent=2))
        if report["reason"] == _ACTIVE:
            click.echo(_WORDS[_ACTIVE], err=True)
    else:
        click.echo(_text(report))
    return _EXIT_CODES.get(report["reason"], ExitCode.FAILED)


def _look(environment: str) -> dict[str, Any]:
    from interlock.cli.situation import look  # noqa: PLC0415 - models and boto3 take their time
    from interlock.wiring import installation  # noqa: PLC0415 - only when needed

    here = installation()
    return look(here, here.environment(environment)).report()


def _ask_prefect(environment: str) -> dict[str, Any]:
    from interlock.cli.prefect_situation import look  # noqa: PLC0415 - only when needed
    from interlock.clock import utc_now  # noqa: PLC0415 - only when needed
    from interlock.prefect_api import PrefectApi  # noqa: PLC0415 - httpx takes its time

    return look(PrefectApi(os.environ), environment, now=utc_now())


def _text(report: Mapping[str, Any]) -> str:
    mark, colour = ("✔", "green") if report["can_deploy"] else ("✘", "red")
    unseen = "(not readable)" if report["warnings"] else "(does not exist yet)"
    heading = f"{report['environment']}: {_WORDS[report['reason']]}"
    parts = [
        f"{click.style(mark, fg=colour, bold=True)} {click.style(heading, bold=True)}",
        labelled(
            [("Stack", f"{report['stack_name']}  {report['stack_status'] or unseen}")] if report["stack_name"] else []
        ),
        labelled(_lock(report)),
        _active(report["active_deployment"] or {}),
        *(f"  {each['position']}. in the queue  {_queued(each)}" for each in report["queue"]),
        *(f"  waits for approval  {_unapproved(each)}" for each in report["awaiting_approval"]),
        labelled(("Warning", trouble) for trouble in report["warnings"]),
    ]
    return "\n".join(part for part in parts if part)


def _lock(report: Mapping[str, Any]) -> list[tuple[str, object]]:
    lock = report.get("lock")
    if lock is None:
        return [("Why", "a deployment is about to begin")] if report["reason"] == "ENVIRONMENT_LOCKED" else []
    until = instant(datetime.fromisoformat(lock["until"])) if lock["until"] else "it is unlocked"
    return [
        ("Locked by", f"{lock['by']} since {instant(datetime.fromisoformat(lock['since']))}, until {until}"),
        ("Reason", lock["reason"]),
    ]


def _active(active: Mapping[str, Any]) -> str:
    if not active:
        return ""
    name, elapsed, left = active["correlation_id"], active["elapsed_minutes"], active["estimated_remaining_minutes"]
    events = enumerate(active["recent_events"])
    return labelled(
        [
            ("Active", name or "not a deployment of Interlock"),
            ("Status", active["current_status"]),
            ("Since", _since(active["started_at"], elapsed)),
            ("Remaining", None if left is None else f"about {minutes(left)}" if left else "less than 1 minute"),
            *(("Last events" if number == 0 else "", event) for number, event in events),
            ("Look", f"interlock show {name}" if name else None),
        ]
    )


def _since(started_at: str | None, elapsed_minutes: int | None) -> str | None:
    if started_at is None or elapsed_minutes is None:
        return None
    return f"{instant(datetime.fromisoformat(started_at))} ({minutes(elapsed_minutes)} ago)"


def _unapproved(unapproved: Mapping[str, Any]) -> str:
    name, until = unapproved["correlation_id"], unapproved["expires_at"]
    left = f", until {instant(datetime.fromisoformat(until))}" if until else ""
    return f"{name}, for {minutes(unapproved['waiting_minutes'])}{left}: interlock approve {name}"


def _queued(queued: Mapping[str, Any]) -> str:
    return f"{queued['correlation_id']}, waiting for {minutes(queued['waiting_minutes'])}"
