"""What `interlock setup` made in Prefect: slots, Prefect deployments, schedules, and somebody who takes the runs."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from interlock.clock import Clock, utc_now
from interlock.doctor.findings import Check, Verdict, ok, ok_unless, problem, warning
from interlock.doctor.prefect_server import SERVER
from interlock.models.environment import Environment
from interlock.prefect_api import FLOW_NAME, PrefectApi

SCHEDULED = ("stall-sweep/scheduled", "deliver-messages/scheduled")
MOST_SILENCE = timedelta(minutes=2)
"""A runner asks every 0.4 s, a worker every 15 s; the server notes it when it hands the runs out."""
_SETUP = "Run `interlock setup` (or `interlock up` again): it mends what is there."
_PAGE = 200

Found = Mapping[str, Mapping[str, Any]]


def checks(api: PrefectApi, environments: Sequence[Environment], *, clock: Clock = utc_now) -> list[Check]:
    return [
        Check("slots", partial(slots, api, environments), needs=SERVER),
        Check("Prefect deployments", partial(deployments, api, environments), needs=SERVER),
        Check("schedules", partial(schedules, api), needs=SERVER),
        Check("runner or worker", partial(runner, api, environments, clock), needs=SERVER),
    ]


def slots(api: PrefectApi, environments: Sequence[Environment]) -> Verdict:
    limits = {str(limit["name"]): limit for limit in _pages(api, "/v2/concurrency_limits/filter")}
    names = [environment.slot_name for environment in environments]
    complaints = [said for name in names if (said := _about_slot(name, limits.get(name)))]
    missing = [name for name in names if name not in limits]
    if missing and not complaints:
        mend = "Run `interlock setup`; otherwise an environment's first deployment makes its own."
        return warning(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there yet", mend)
    return ok_unless(complaints, _SETUP, seen=f"{', '.join(names)}: active, of one each")


def deployments(api: PrefectApi, environments: Sequence[Environment]) -> Verdict:
    found = _deployments(api)
    names = [f"{FLOW_NAME}/{environment.name}" for environment in environments]
    complaints = [f"{name} is not registered" for name in names if name not in found]
    complaints += [f"{name} is paused" for name in names if found.get(name, {}).get("paused")]
    return ok_unless(complaints, _SETUP, seen=", ".join(names))


def schedules(api: PrefectApi) -> Verdict:
    found = _deployments(api)
    complaints = [said for name in SCHEDULED if (said := _about_schedule(name, found.get(name)))]
    mend = f"{_SETUP} One that was paused by hand is resumed on its page in Prefect."
    return ok_unless(complaints, mend, seen=f"{' and '.join(SCHEDULED)} are active")


def runner(api: PrefectApi, environments: Sequence[Environment], clock: Clock) -> Verdict:
    found = _deployments(api)
    polled = {name: _instant(found.get(f"{FLOW_NAME}/{name}", {}).get("last_polled")) for name in _names(environments)}
    silent = [name for name, at in polled.items() if at is None or clock() - at > MOST_SILENCE]
    if silent:
        seen = (
            f"nobody has asked for runs of {', '.join(silent)} within {MOST_SILENCE.total_seconds() / 60:.0f} minutes"
        )
        return problem(seen, "Start `interlock up`, or `prefect worker start --pool interlock` on a worker.")
    return ok("runs are asked for: a runner or worker is alive")


def _about_slot(name: str, limit: Mapping[str, Any] | None) -> str | None:
    """An inactive limit, or one of another number, limits nothing, even for a strict holder."""
    if limit is None or (limit["active"] and limit["limit"] == 1):
        return None
    return f"{name} is {'active' if limit['active'] else 'inactive'} with a limit of {limit['limit']}"


def _about_schedule(name: str, deployment: Mapping[str, Any] | None) -> str | None:
    if deployment is None:
        return f"{name} is not registered"
    if deployment.get("paused") or not any(schedule["active"] for schedule in deployment.get("schedules", ())):
        return f"{name} has no active schedule"
    return None


def _deployments(api: PrefectApi) -> Found:
    """By `flow/name`."""
    flows = {flow["id"]: flow["name"] for flow in _pages(api, "/flows/filter")}
    return {f"{flows.get(each['flow_id'])}/{each['name']}": each for each in _pages(api, "/deployments/filter")}


def _pages(api: PrefectApi, path: str) -> Iterator[Mapping[str, Any]]:
    offset = 0
    while page := api.read(path, {"limit": _PAGE, "offset": offset}):
        yield from page
        offset += len(page)
        if len(page) < _PAGE:
            return


def _names(environments: Sequence[Environment]) -> list[str]:
    return [environment.name for environment in environments]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
