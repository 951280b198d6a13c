"""Neighbours of the doctor's checks: a Prefect server that answers what a test says, clocks, environments."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx

from interlock.models.environment import Environment
from interlock.prefect_api import PrefectApi

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
STAGING = Environment(name="staging", stack_name="app-staging", region="eu-west-1", slack_channel="#deploys")
PRODUCTION = Environment(name="production", stack_name="app-production", region="eu-west-1")


def at_noon() -> datetime:
    return NOON


def prefect(answers: Mapping[str, Any], *, date: datetime | None = NOON) -> PrefectApi:
    """Lists are cut into pages as Prefect does it; a path that is not there is 404; an int is a status."""

    def handler(request: httpx.Request) -> httpx.Response:
        headers = {"Date": format_datetime(date, usegmt=True)} if date else {}
        answer = answers.get(request.url.path.removeprefix("/api"), 404)
        if isinstance(answer, int):
            return httpx.Response(answer, headers=headers)
        return httpx.Response(200, json=answer, headers=headers)

    return PrefectApi({"PREFECT_API_URL": "http://prefect.test/api"}, transport=httpx.MockTransport(handler))


def settings(**server: Any) -> dict[str, Any]:
    return {"/admin/settings": {"server": server}}
