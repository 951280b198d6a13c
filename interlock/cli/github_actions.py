"""GitHub Actions: what its job knows of itself, and the files in which it takes results."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from interlock.cli import summary
from interlock.cli.outcome import Outcome
from interlock.cli.text import one_line
from interlock.markdown import cell, code, escaped, table


@dataclass(frozen=True)
class Job:
    """The job that this command runs in. Outside of GitHub Actions all of it is None."""

    workflow_run_id: str | None = None
    run_url: str | None = None
    git_sha: str | None = None
    actor: str | None = None
    attempt: str | None = None

    def idempotency_key(self, environment: str, fingerprint: str) -> str | None:
        """The same for a step that is run again within one attempt: it then joins the run it asked for before."""
        if self.workflow_run_id is None:
            return None
        return f"github-{self.workflow_run_id}-{self.attempt or 1}-{environment}-{fingerprint}"


def is_github_actions(environ: Mapping[str, str]) -> bool:
    return environ.get("GITHUB_ACTIONS") == "true"


def job(environ: Mapping[str, str]) -> Job:
    if not is_github_actions(environ):
        return Job()
    run_id, repository = environ.get("GITHUB_RUN_ID"), environ.get("GITHUB_REPOSITORY")
    server = environ.get("GITHUB_SERVER_URL", "https://github.com")
    return Job(
        workflow_run_id=run_id,
        run_url=f"{server}/{repository}/actions/runs/{run_id}" if run_id and repository else None,
        git_sha=environ.get("GITHUB_SHA"),
        actor=environ.get("GITHUB_ACTOR"),
        attempt=environ.get("GITHUB_RUN_ATTEMPT"),
    )


def report(outcome: Outcome, environ: Mapping[str, str] | None = None) -> None:
    """Write the step summary, the step's outputs and, if it did not go well, an annotation.

    A file that cannot be written is told on stderr: it never changes the outcome of a deployment.
    """
    environ = os.environ if environ is None else environ
    if not is_github_actions(environ):
        return
    _append(environ.get("GITHUB_STEP_SUMMARY"), markdown(outcome))
    _append(environ.get("GITHUB_OUTPUT"), outputs(outcome))
    if outcome.exit_code:
        message = one_line(": ".join(part for part in (summary.headline(outcome), outcome.reason) if part))
        click.echo(f"::error title=Interlock::{message.replace('%', '%25')}", err=True)


def markdown(outcome: Outcome) -> str:
    """The step summary. Every value is code: none of it is taken for markup."""
    mark = "✅" if outcome.exit_code == 0 else "⏳" if outcome.status == "STILL_RUNNING" else "❌"
    lines = [f"### {mark} {escaped(summary.headline(outcome))}", ""]
    lines += [f"- {code(problem)}" for problem in outcome.problems]
    if facts := summary.rows(outcome):
        lines += ["", "| | |", "| --- | --- |", *(f"| {label} | {cell(value)} |" for label, value in facts)]
    if outcome.outputs:
        lines += ["", *table(["Stack output", "Value"], outcome.outputs.items())]
    return "\n".join([*lines, "", ""])


def outputs(outcome: Outcome) -> str:
    """The step's outputs in the many-line form: a value with line breaks can then not add outputs of its own."""
    values = {
        "correlation-id": outcome.correlation_id or "",
        "status": outcome.status,
        "stack-outputs": json.dumps(outcome.outputs),
        "flow-run-url": outcome.flow_run_url or "",
    }
    delimiter = f"interlock-{secrets.token_hex(16)}"
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items())


def _append(path: str | None, text: str) -> None:
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        click.echo(f"Warning: {path} cannot be written: {error.strerror}.", err=True)
