"""Prefect: is there a server, is it the right one, and would its settings keep our promises?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from interlock.clock import Clock, utc_now
from interlock.doctor import clocks
from interlock.doctor.findings import Check, Verdict, not_checked, ok, problem, warning
from interlock.prefect_api import PrefectApi, PrefectRefusedError

SERVER = "Prefect server"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_IN_MEMORY = "prefect.server.concurrency.lease_storage.memory"
_MOST_SLOT_WAIT_SECONDS = 5
_LEAST_PARAMETER_BYTES = 2_000_000
"""A template of CloudFormation's most, 1,000,000 bytes, escaped as JSON."""
_SEE = "Set {} for the server (docs/operations.md, Installing) and start it again."


@dataclass(frozen=True)
class OwnPrefect:
    """This machine's own Prefect, as its settings (environment, profile) make it."""

    version: str
    supported: Callable[[str], bool]
    """Whether a version is within Interlock's bounds."""
    bounds: str
    api_url: str | None
    may_be_ephemeral: bool


def checks(api: PrefectApi, own: OwnPrefect, *, clock: Clock = utc_now) -> list[Check]:
    """What does not depend on the environments."""
    return [
        Check("Prefect client", partial(client, own)),
        Check(SERVER, partial(server, api)),
        Check("Prefect version", partial(version, api, own), needs=SERVER),
        Check("lease storage", partial(_judged, api, lease_storage), needs=SERVER),
        Check("server settings", partial(_judged, api, settings), needs=SERVER),
        Check("access to the API", partial(_judged, api, access), needs=SERVER),
        Check("clock and Prefect", lambda: clocks.compare(api.server_time(), clock(), whose=SERVER), needs=SERVER),
    ]


def client(own: OwnPrefect) -> Verdict:
    if own.may_be_ephemeral:
        seen = "without PREFECT_API_URL a flow here would silently start a server of its own, which limits nothing"
        return problem(seen, "Set PREFECT_SERVER_ALLOW_EPHEMERAL_MODE=false.")
    if not own.api_url:
        mend = "Set PREFECT_API_URL to the server's API (it ends in /api)."
        return warning("PREFECT_API_URL is not set; the default of this machine is used", mend)
    return ok(f"Prefect {own.version}, PREFECT_API_URL is set, ephemeral mode is off")


def server(api: PrefectApi) -> Verdict:
    return ok(f"Prefect {api.read('/admin/version')} answers at {api.url}")


def version(api: PrefectApi, own: OwnPrefect) -> Verdict:
    theirs = str(api.read("/admin/version"))
    if not own.supported(theirs):
        return problem(f"the server is {theirs}; Interlock is made for {own.bounds}", f'Install "prefect{own.bounds}".')
    if _minor(theirs) != _minor(own.version):
        mend = "Install the same minor version on both; the server goes first."
        return warning(f"the server is {theirs}, this machine {own.version}", mend)
    return ok(f"{theirs}, here {own.version}")


def lease_storage(server_settings: Mapping[str, Any]) -> Verdict:
    storage = str(server_settings.get("concurrency", {}).get("lease_storage", _IN_MEMORY))
    if storage == _IN_MEMORY:
        seen = "in the server's memory: after a restart every taken slot stays taken for good"
        name = "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE=prefect.server.concurrency.lease_storage.filesystem"
        return problem(seen, _SEE.format(name))
    return ok(storage)


def settings(server_settings: Mapping[str, Any]) -> Verdict:
    wait = server_settings.get("concurrency", {}).get("maximum_concurrency_slot_wait_seconds", 30)
    most = server_settings.get("api", {}).get("max_parameter_size", 524_288)
    wrong: list[str] = []
    if wait > _MOST_SLOT_WAIT_SECONDS:
        wrong.append("PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS=1")
    if 0 < most < _LEAST_PARAMETER_BYTES:
        wrong.append(f"PREFECT_SERVER_API_MAX_PARAMETER_SIZE={_LEAST_PARAMETER_BYTES}")
    seen = f"a waiter may sleep {wait:g} s past its turn; requests of up to {most:,} bytes (0: any)"
    return warning(seen, _SEE.format(" and ".join(wrong))) if wrong else ok(seen)


def access(server_settings: Mapping[str, Any]) -> Verdict:
    api = server_settings.get("api", {})
    host = str(api.get("host", _LOOPBACK[0]))
    if api.get("auth_string"):
        return ok(f"listens on {host} and asks for its auth string")
    if host in _LOOPBACK:
        return ok(f"listens on {host} alone, without an auth string")
    seen = f"listens on {host} without an auth string: whoever reaches it can deploy"
    return problem(seen, _SEE.format("PREFECT_SERVER_API_AUTH_STRING") + " Clients need PREFECT_API_AUTH_STRING.")


def _judged(api: PrefectApi, judge: Callable[[Mapping[str, Any]], Verdict]) -> Verdict:
    try:
        found = api.read("/admin/settings")
    except PrefectRefusedError:
        return not_checked("the server does not show its settings (Prefect Cloud does not)")
    return judge(found.get("server", {}))


def _minor(text: str) -> list[str]:
    return text.split(".")[:2]
