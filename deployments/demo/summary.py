"""The end of the demo: a table of the three deployments, where to look, and the list of expectations."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deployments.demo.evidence import Evidence, Seen
from deployments.demo.expectations import Check
from deployments.demo.parts import PARTS
from deployments.demo.timeline import STYLES
from deployments.rehearsal_system import RehearsalSystem

_OUTCOMES = {"SUCCEEDED": "green", "ROLLED_BACK": "red"}


def show_table(console: Console, evidence: Evidence) -> None:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for heading in ("Deployment", "Correlation id"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Queued", "Took"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("Outcome", "Messages"):
        table.add_column(heading, no_wrap=True)
    for part in PARTS:
        table.add_row(Text(part.name, STYLES[part.name]), *_cells(evidence.seen[part]))
    console.print()
    console.print(table)


def _cells(seen: Seen) -> list[str | Text]:
    record = seen.record
    outcome = Text(record.status.replace("_", " ").lower(), _OUTCOMES.get(record.status, "yellow"))
    messages = f"{len(seen.parents) + len(seen.replies)}, {seen.edits} edits"
    return [record.correlation_id, _seconds(record.queue_seconds), _seconds(record.duration_seconds), outcome, messages]


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.1f} s"


def show_places(console: Console, system: RehearsalSystem, *, keep: bool) -> None:
    console.print()
    for name, url in (("Prefect UI", system.ui_url), ("Slack", system.slack.url)):
        console.print(Text(f"{name:<12}", "bold") + Text(url))
    if not keep:
        console.print(Text("Both end with the demo: run it with --keep to look at them.", "dim"))


def show_checks(console: Console, checks: list[Check]) -> None:
    console.print()
    for check in checks:
        mark = Text("✔ ", "bold green") if check.is_met else Text("✘ ", "bold red")
        console.print(mark + Text(check.claim, "" if check.is_met else "bold"))
        console.print(Padding(Text(check.seen, "dim"), (0, 0, 0, 4), expand=False))
    unmet = sum(not check.is_met for check in checks)
    console.print()
    console.print(
        Text(f"{unmet} of {len(checks)} expectations are not met.", "bold red")
        if unmet
        else Text(f"All {len(checks)} expectations are met.", "bold green")
    )
