"""What the doctor says of a Prefect server and of what setup made there."""

from datetime import timedelta
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from interlock.doctor import prefect_deployments, prefect_server
from interlock.doctor.findings import Level, Verdict, examine
from interlock.doctor.prefect_server import OwnPrefect
from tests.unit.doctor.kit import NOON, PRODUCTION, STAGING, at_noon, prefect, settings

BOUNDS = SpecifierSet(">=3.8.8,<3.9")
FILESYSTEM = "prefect.server.concurrency.lease_storage.filesystem"
BOTH = [STAGING, PRODUCTION]


def own(version: str = "3.8.8", *, api_url: str | None = "http://x/api", may_be_ephemeral: bool = False) -> OwnPrefect:
    return OwnPrefect(version, BOUNDS.contains, str(BOUNDS), api_url, may_be_ephemeral)


def limit(name: str, *, active: bool = True, most: int = 1) -> dict[str, Any]:
    return {"name": f"environment-{name}", "active": active, "limit": most}


def registered(*names: str, **more: Any) -> dict[str, Any]:
    flows = sorted({name.partition("/")[0] for name in names})
    return {
        "/flows/filter": [{"id": f"id-{flow}", "name": flow} for flow in flows],
        "/deployments/filter": [
            {
                "flow_id": f"id-{name.partition('/')[0]}",
                "name": name.partition("/")[2],
                "paused": False,
                "schedules": [{"active": True}],
                "last_polled": NOON.isoformat(),
                **more,
            }
            for name in names
        ],
    }


def test_ephemeral_mode_is_a_problem_and_a_missing_url_a_warning() -> None:
    assert prefect_server.client(own(may_be_ephemeral=True)).level is Level.PROBLEM
    assert prefect_server.client(own(api_url=None)).level is Level.WARNING
    assert prefect_server.client(own()).level is Level.OK


@pytest.mark.parametrize(
    ("theirs", "ours", "level"),
    [
        ("3.8.8", "3.8.8", Level.OK),
        ("3.8.12", "3.8.8", Level.OK),
        ("3.8.9", "3.7.1", Level.WARNING),
        ("3.9.0", "3.8.8", Level.PROBLEM),
        ("3.8.7", "3.8.8", Level.PROBLEM),
        ("2.20.0", "3.8.8", Level.PROBLEM),
    ],
)
def test_the_servers_version_is_within_our_bounds_and_of_our_minor(theirs: str, ours: str, level: Level) -> None:
    verdict = prefect_server.version(prefect({"/admin/version": theirs}), own(ours))
    assert verdict.level is level
    assert (verdict.mend is None) == (level is Level.OK)


@pytest.mark.parametrize(
    ("storage", "level"),
    [(FILESYSTEM, Level.OK), ("prefect_redis.lease_storage", Level.OK), (None, Level.PROBLEM)],
)
def test_leases_in_memory_are_a_problem(storage: str | None, level: Level) -> None:
    concurrency = {"lease_storage": storage} if storage else {}
    verdict = prefect_server.lease_storage({"concurrency": concurrency})
    assert verdict.level is level
    assert level is Level.OK or FILESYSTEM in (verdict.mend or "")


def test_each_setting_that_is_not_ours_is_named() -> None:
    verdict = prefect_server.settings({})
    assert verdict.level is Level.WARNING
    assert "SLOT_WAIT_SECONDS=1" in (verdict.mend or "")
    assert "MAX_PARAMETER_SIZE=2000000" in (verdict.mend or "")
    good = {"concurrency": {"maximum_concurrency_slot_wait_seconds": 1}, "api": {"max_parameter_size": 0}}
    assert prefect_server.settings(good).level is Level.OK


@pytest.mark.parametrize(
    ("api", "level"),
    [
        ({"host": "127.0.0.1"}, Level.OK),
        ({"host": "0.0.0.0", "auth_string": "**********"}, Level.OK),  # noqa: S104 - text
        ({"host": "0.0.0.0", "auth_string": None}, Level.PROBLEM),  # noqa: S104 - text
    ],
)
def test_a_server_that_others_reach_without_an_auth_string_is_a_problem(api: dict[str, Any], level: Level) -> None:
    assert prefect_server.access({"api": api}).level is level


def test_a_server_that_hides_its_settings_is_not_judged_by_them() -> None:
    found = examine(prefect_server.checks(prefect({"/admin/version": "3.8.8"}), own(), clock=at_noon))
    verdicts = {finding.name: finding.verdict for finding in found}
    assert verdicts["lease storage"].level is verdicts["access to the API"].level is Level.NOT_CHECKED
    assert verdicts["clock and Prefect"].level is Level.OK


def test_a_server_that_refuses_us_is_the_one_problem() -> None:
    found = examine(prefect_server.checks(prefect({"/admin/version": 401}), own(), clock=at_noon))
    assert [each.name for each in found if each.verdict.level is Level.PROBLEM] == ["Prefect server"]
    assert "PREFECT_API_AUTH_STRING" in str(found[1].verdict.mend)


@pytest.mark.parametrize(("seconds", "level"), [(0, Level.OK), (4, Level.OK), (-7, Level.WARNING), (60, Level.WARNING)])
def test_clocks_that_are_apart_by_more_than_five_seconds_are_a_warning(seconds: float, level: Level) -> None:
    api = prefect(settings() | {"/admin/version": "3.8.8", "/health": True}, date=NOON + timedelta(seconds=seconds))
    found = examine(prefect_server.checks(api, own(), clock=at_noon))
    assert found[-1].verdict.level is level


@pytest.mark.parametrize(
    ("limits", "level", "seen"),
    [
        ([limit("staging"), limit("production")], Level.OK, "active"),
        ([limit("staging")], Level.WARNING, "environment-production is not there"),
        ([limit("staging"), limit("production", active=False)], Level.PROBLEM, "production is inactive"),
        ([limit("staging", most=2), limit("production")], Level.PROBLEM, "staging is active with a limit of 2"),
    ],
)
def test_a_slot_limits_to_one_or_it_is_said(limits: list[dict[str, Any]], level: Level, seen: str) -> None:
    verdict = prefect_deployments.slots(prefect({"/v2/concurrency_limits/filter": limits}), BOTH)
    assert verdict.level is level
    assert seen in verdict.seen


def test_a_prefect_deployment_that_is_missing_or_paused_is_named() -> None:
    assert "deploy/production is not registered" in deployments(registered("deploy/staging")).seen
    paused = deployments(registered("deploy/staging", "deploy/production", paused=True))
    assert paused.seen == "deploy/staging is paused; deploy/production is paused"
    assert deployments(registered("deploy/staging", "deploy/production")).level is Level.OK


def test_a_schedule_that_is_missing_or_inactive_is_named() -> None:
    both = prefect_deployments.SCHEDULED
    assert prefect_deployments.schedules(prefect(registered(*both))).level is Level.OK
    assert "not registered" in prefect_deployments.schedules(prefect(registered(both[0]))).seen
    idle = prefect_deployments.schedules(prefect(registered(*both, schedules=[{"active": False}])))
    assert idle.seen.count("no active schedule") == 2


@pytest.mark.parametrize(("minutes", "level"), [(1, Level.OK), (3, Level.PROBLEM)])
def test_runs_that_nobody_asks_for_are_a_problem(minutes: float, level: Level) -> None:
    polled = (NOON - timedelta(minutes=minutes)).isoformat()
    api = prefect(registered("deploy/staging", last_polled=polled))
    assert prefect_deployments.runner(api, [STAGING], at_noon).level is level


def test_more_prefect_deployments_than_a_page_are_all_seen() -> None:
    names = [f"other/{number}" for number in range(250)]
    answers = registered(*names, "deploy/staging", "deploy/production")
    rows = answers["/deployments/filter"]

    class Paged:
        url = ""

        def read(self, path: str, query: dict[str, int]) -> Any:
            found = rows if path == "/deployments/filter" else answers[path]
            return found[query["offset"] : query["offset"] + query["limit"]]

    assert prefect_deployments.deployments(Paged(), BOTH).level is Level.OK  # type: ignore[arg-type]


def deployments(answers: dict[str, Any]) -> Verdict:
    return prefect_deployments.deployments(prefect(answers), BOTH)
