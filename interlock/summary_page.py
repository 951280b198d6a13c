"""One page per deployment, in Markdown: what changed, how it went, how it ended and why, and what to do next."""

from collections.abc import Iterator, Sequence

from interlock.markdown import code, escaped, table
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.outcome import Outcome
from interlock.notifications.durations import duration
from interlock.notifications.escape import web_address

_MARKS = {0: "✅", 4: "⚪"}
_OTHER_MARK = "❌"
_MOST_EVENTS = 60
"""A page for people; the record has them all (`interlock show`)."""


def summary_page(deployment: Deployment, outcome: Outcome) -> str:
    """For the Prefect UI. Whatever comes from outside is code or escaped: none of it becomes markup."""
    parts = [_heading(deployment, outcome), *_why(outcome), *_facts(deployment, outcome), *_outputs(outcome)]
    return "\n".join([*parts, *_timeline(deployment.events), ""])


def _heading(deployment: Deployment, outcome: Outcome) -> str:
    mark = _MARKS.get(int(outcome.exit_code), _OTHER_MARK)
    return f"# {mark} {escaped(deployment.environment)}: {escaped(outcome.title)}"


def _why(outcome: Outcome) -> Iterator[str]:
    cause = outcome.first_cause
    if cause:
        yield f"\n**First cause:** {code(cause.logical_id)} ({code(cause.resource_type)}): {code(cause.reason)}"
        if cause.hint:
            yield f"\n**What to do:** {escaped(cause.hint)}"
    elif outcome.reason and not outcome.problems:
        yield f"\n{escaped(outcome.reason)}"
    yield from (f"- {code(problem)}" for problem in outcome.problems)


def _facts(deployment: Deployment, outcome: Outcome) -> Iterator[str]:
    waited, ran = deployment.queue_seconds, deployment.duration_seconds
    found = [
        ("Correlation id", deployment.correlation_id),
        ("Stack", f"{deployment.stack_name} ({deployment.region})"),
        ("Stack status", deployment.stack_status),
        ("Changes", _counts(deployment)),
        ("Checks and waiting", duration(waited) if waited is not None else None),
        ("Deployed for", duration(ran) if ran is not None else None),
        ("Application", web_address(outcome.application_url)),
        ("Asked for by", deployment.actor),
        ("Commit", deployment.git_sha),
        ("CI run", web_address(deployment.github_run_url)),
        ("AWS console", web_address(deployment.aws_console_url)),
    ]
    yield ""
    yield from table(["", ""], [(label, value) for label, value in found if value])


def _counts(deployment: Deployment) -> str:
    return ", ".join(f"{kind.lower()} {count}" for kind, count in deployment.change_counts.items())


def _outputs(outcome: Outcome) -> Iterator[str]:
    if outcome.outputs:
        yield "\n## Stack outputs\n"
        yield from table(["Output", "Value"], outcome.outputs.items())


def _timeline(events: Sequence[DeploymentEvent]) -> Iterator[str]:
    """The first and the last, if there are too many: in between, resources were made."""
    left_out = max(0, len(events) - _MOST_EVENTS)
    half = _MOST_EVENTS // 2
    shown = [*events[:half], *events[-half:]] if left_out else events
    yield "\n## Timeline\n"
    yield from table(
        ["Time (UTC)", "Event", "Details"],
        [(f"{event.timestamp:%H:%M:%S}", event.event, event.details) for event in shown],
    )
    if left_out:
        yield f"\n{left_out} events in between are left out here."
