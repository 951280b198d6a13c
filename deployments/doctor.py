"""Check everything that an installation needs, and say how to mend it: `interlock doctor [--json]`.

Ends with 0 if there is no problem (warnings are none), else with 1. Nothing is changed, but for a probe in the registry
that is removed again. Run it where the workers run: what it sees is what this machine, with these settings, may do.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.metadata import requires, version

import click
from packaging.requirements import Requirement
from prefect.settings import Settings as PrefectSettings
from prefect.settings import get_current_settings
from pydantic import SecretStr

from deployments.command import Parser, command
from interlock.cli.text import safe
from interlock.doctor import aws, commands, places, prefect_deployments, prefect_server, registry, slack
from interlock.doctor.findings import Check, Finding, Level, Verdict, examine, ok
from interlock.doctor.prefect_server import OwnPrefect
from interlock.errors import SettingsError
from interlock.models.environment import Environment
from interlock.prefect_api import PrefectApi
from interlock.wiring import Installation, installation

ENVIRONMENTS = "environments file"
_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red", Level.NOT_CHECKED: "cyan"}


def checks(here: Installation) -> list[Check]:
    """All checks; those of the environments only if their file can be read."""
    prefect, known = get_current_settings(), _environments(here)
    api = PrefectApi({**os.environ, **_as_environment(prefect)})
    return [
        Check(ENVIRONMENTS, partial(_environments_file, here)),
        *prefect_server.checks(api, _own(prefect), clock=here.clock),
        *(prefect_deployments.checks(api, known, clock=here.clock) if known else []),
        *registry.checks(here.settings.registry_url, clock=here.clock),
        *aws.checks(known, clock=here.clock),
        *commands.checks(known),
        *places.checks(here.settings),
        *slack.checks(here.slack, known),
    ]


def _environments(here: Installation) -> list[Environment]:
    try:
        return list(here.environments.values())
    except SettingsError:
        return []  # the check of the file says what is wrong with it


def _environments_file(here: Installation) -> Verdict:
    return ok(f"{here.settings.environments}: {', '.join(here.environments)}")


def _own(settings: PrefectSettings) -> OwnPrefect:
    bounds = next(found.specifier for found in map(Requirement, requires("interlock") or ()) if found.name == "prefect")
    return OwnPrefect(
        version=version("prefect"),
        supported=bounds.contains,
        bounds=str(bounds),
        api_url=settings.api.url,
        may_be_ephemeral=settings.server.ephemeral.enabled,
    )


def _as_environment(settings: PrefectSettings) -> dict[str, str]:
    """What a profile of Prefect's sets, for the client, which reads environment variables alone."""
    known = {
        "PREFECT_API_URL": settings.api.url,
        "PREFECT_API_AUTH_STRING": _open(settings.api.auth_string),
        "PREFECT_API_KEY": _open(settings.api.key),
    }
    return {name: value for name, value in known.items() if value}


def _open(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _secrets(here: Installation, environ: Mapping[str, str]) -> Iterator[str]:
    names = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PREFECT_SERVER_API_AUTH_STRING")
    known = {**environ, **_as_environment(get_current_settings())}
    yield from (known.get(name, "") for name in (*names, "PREFECT_API_AUTH_STRING", "PREFECT_API_KEY"))
    yield _open(here.settings.slack_token) or ""


def _told(findings: list[Finding]) -> Iterator[str]:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        level, mend = finding.verdict.level, finding.verdict.mend
        label = click.style(f"{level:<12}", fg=_COLOURS[level], bold=level is Level.PROBLEM)
        yield f"{label} {finding.name:<{width}}  {safe(finding.verdict.seen)}"
        if mend:
            yield f"{'':<{width + 14}} -> {safe(mend)}"


def _as_json(findings: list[Finding], *, is_healthy: bool) -> str:
    rows = [{"name": each.name, **vars(each.verdict)} for each in findings]
    return json.dumps({"healthy": is_healthy, "checks": rows}, indent=2)


@command
def main() -> None:
    parser = Parser("interlock doctor", __doc__)
    parser.add_argument("--json", action="store_true", dest="as_json", help="print the findings as JSON")
    as_json: bool = parser.parse_args().as_json
    here = installation()
    # Short secrets ("test") are none, and would tear holes in the text.
    secrets = [secret for secret in _secrets(here, os.environ) if len(secret) > len("password")]
    findings = examine(checks(here), secrets=secrets)
    is_healthy = not any(finding.verdict.level is Level.PROBLEM for finding in findings)
    click.echo(_as_json(findings, is_healthy=is_healthy) if as_json else "\n".join(_told(findings)))
    sys.exit(0 if is_healthy else 1)


if __name__ == "__main__":
    main()
