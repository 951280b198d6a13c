"""The end of a deployment in a few lines: a headline and labelled facts, for a terminal or GitHub's summary page."""

from collections.abc import Mapping
from typing import Any

import click

from interlock.cli.outcome import Outcome
from interlock.cli.text import labelled, one_line, safe
from interlock.errors import ExitCode
from interlock.notifications.durations import duration

_WORDS = {
    "SUCCEEDED": "deployed",
    "COMPLETED": "ended well",
    "NO_CHANGES": "nothing to change",
    "REQUESTED": "deployment asked for",
    "FAILED": "deployment failed",
    "ROLLED_BACK": "deployment failed and was rolled back",
    "CRASHED": "the run crashed",
    "CANCELLED": "deployment cancelled",
    "CANCELLING": "asked Prefect to cancel it; a stack operation that runs is turned back first",
    "SUPERSEDED": "superseded by a newer request",
    "DENIED": "denied; nothing was changed",
    "EXPIRED": "not approved in time; nothing was changed",
    "TIMED_OUT": "waited too long for its turn",
    "REJECTED": "Deployment already in progress",
    "LOCKED": "the environment is locked",
    "INVALID": "invalid request",
    "STILL_RUNNING": "still running; this client has stopped waiting",
    "UNREACHABLE": "Prefect cannot be reached",
}

_WORTH_A_WORD_SECONDS = 2
"""Less before its turn is nothing that anybody noticed."""


def headline(outcome: Outcome) -> str:
    """`staging: deployed in 12 s (checks and waiting: 3 s)`."""
    words = _WORDS.get(_status(outcome), outcome.status.replace("_", " ").lower())
    ran, waited = outcome.facts.get("duration_seconds"), outcome.facts.get("queue_seconds") or 0.0
    took = f" {'in' if outcome.exit_code == 0 else 'after'} {duration(ran)}" if ran is not None else ""
    queued = f" (checks and waiting: {duration(waited)})" if waited >= _WORTH_A_WORD_SECONDS else ""
    return f"{outcome.environment}: {words}{took}{queued}"


def _status(outcome: Outcome) -> str:
    """The record knows none of these by a status of their own."""
    if outcome.facts.get("locked") and outcome.status == "REJECTED":
        return "LOCKED"
    if outcome.exit_code == ExitCode.INVALID_REQUEST:
        return "INVALID"
    return "NO_CHANGES" if outcome.status == "SUCCEEDED" and outcome.facts.get("no_changes") else outcome.status


def rows(outcome: Outcome) -> list[tuple[str, str]]:
    """Labels and values, those that there are."""
    cause = outcome.first_cause
    where = f"{cause.get('logical_id')} ({cause.get('resource_type')}): {cause.get('reason')}" if cause else None
    is_told = bool(outcome.problems) or (bool(cause) and str(cause.get("reason")) in (outcome.reason or ""))
    found = [
        ("First cause", where),
        ("Hint", cause.get("hint")),
        ("Also failed", ", ".join(str(each.get("logical_id")) for each in outcome.parts("also_failed"))),
        ("Next step", outcome.facts.get("next_step") if is_told else None),
        *(("Found", _finding(each)) for each in outcome.parts("diagnosis")),
        ("Reason", None if is_told else outcome.reason),
        ("Application", outcome.facts.get("application_url")),
        ("Correlation id", outcome.correlation_id),
        ("Prefect run", outcome.flow_run_url),
        ("AWS console", (outcome.facts.get("record") or {}).get("aws_console_url") if outcome.exit_code else None),
        ("Look", _look(outcome)),
        ("Cancel", f"interlock cancel {_name(outcome)}" if _goes_on(outcome) else None),
    ]
    return [(label, one_line(value)) for label, value in found if value]


def _finding(found: Mapping[str, Any]) -> str:
    return " ".join(str(part) for part in (found.get("text"), found.get("url")) if part)


def text(outcome: Outcome) -> str:
    """For a terminal or a plain log; colours vanish where there is no terminal."""
    mark, colour = _mark(outcome)
    lines = [f"{click.style(mark, fg=colour, bold=True)} {click.style(safe(headline(outcome)), bold=True)}"]
    lines += [f"    - {safe(problem)}" for problem in outcome.problems]
    lines.append(labelled(rows(outcome)))
    return "\n".join(line for line in lines if line)


def _mark(outcome: Outcome) -> tuple[str, str]:
    if outcome.exit_code == ExitCode.SUCCEEDED:
        return "✔", "green"
    return ("…", "cyan") if outcome.exit_code == ExitCode.STILL_RUNNING else ("✘", "red")


def _goes_on(outcome: Outcome) -> bool:
    return outcome.status in ("STILL_RUNNING", "REQUESTED") or (
        outcome.status == "UNREACHABLE" and bool(_name(outcome))
    )


def _name(outcome: Outcome) -> str | None:
    return outcome.correlation_id or outcome.flow_run_id


def _look(outcome: Outcome) -> str | None:
    if _name(outcome) is None or (outcome.exit_code == ExitCode.SUCCEEDED and not _goes_on(outcome)):
        return None
    return f"interlock show {_name(outcome)}   or   interlock status {outcome.environment}"
