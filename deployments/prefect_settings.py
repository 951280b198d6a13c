"""Prefect's settings that Interlock's promises rest on. Each has its reason; none is a matter of taste."""

from collections.abc import Mapping
from pathlib import Path

import certifi
import httpx

from deployments.access import CLIENT_AUTH, SERVER_AUTH
from interlock.plain_http import NO_CERTIFICATES

FILESYSTEM_LEASES = "prefect.server.concurrency.lease_storage.filesystem"


def server_environment(home: Path, api_url: str, auth: str | None = None) -> dict[str, str]:
    """For the Prefect server that keeps its data below `home`, answers at `api_url` and asks for `auth`."""
    return ({SERVER_AUTH: auth} if auth else {}) | {
        "PREFECT_HOME": str(home / "prefect"),
        # Without this a client that lost its API URL starts a server of its own and limits nothing.
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        # In memory (the default) a restart of the server leaves every taken slot taken for good.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": FILESYSTEM_LEASES,
        # The default lets a waiter sleep up to 39 s after its slot became free.
        "PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
        # Templates are parameters: up to CloudFormation's megabyte, JSON-escaped. The default is half of one.
        "PREFECT_SERVER_API_MAX_PARAMETER_SIZE": "2000000",
        # How soon the slot of a dead holder is free again once its lease has run out.
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "5",
        # What the page in the browser asks: without this it is port 4200, wherever the server listens.
        "PREFECT_UI_API_URL": api_url,
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "ui"),  # of our own: the default is shared by all servers here
        # Nothing leaves the machine.
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def client_environment(api_url: str, auth: str | None = None) -> dict[str, str]:
    """For whatever talks to that server."""
    return ({CLIENT_AUTH: auth} if auth else {}) | {
        "PREFECT_API_URL": api_url,
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        # Log lines reach the API, and so whoever follows the run, within this time (default 2 s).
        "PREFECT_LOGGING_TO_API_BATCH_INTERVAL": "0.3",
        "DO_NOT_TRACK": "1",
    }


def spare_certificates(home: Path, api_url: str) -> dict[str, str]:
    """For processes that make many clients of our own server, as an engine does: a dozen.

    Every client of Prefect's reads all certificates that it is told of, TLS or not, for 30 ms each time. Here, one. A
    server of somebody else's keeps them all: its plain HTTP may lead on to TLS.
    """
    if not api_url.startswith("http:"):
        return {}
    first, end, _ = certifi.contents().partition("-----END CERTIFICATE-----\n")
    one = home / "one-certificate.pem"
    one.write_text(first + end, encoding="utf-8")
    return {"PREFECT_API_SSL_CERT_FILE": str(one)}


def without_prefect(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment less what a person set for another Prefect: an embedded server must not inherit it."""
    return {name: value for name, value in environ.items() if not name.startswith("PREFECT_")}


def answers(api_url: str) -> bool:
    """Whether a Prefect server on this machine is up: a proxy of the environment is not meant for it."""
    try:
        return httpx.get(f"{api_url}/health", timeout=2, trust_env=False, verify=NO_CERTIFICATES).is_success
    except httpx.HTTPError:
        return False
