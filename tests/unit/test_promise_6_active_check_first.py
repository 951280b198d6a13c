"""Promise 6: what is active is checked before anything else of a request, and the request before the wait for the turn."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import deploy as flow
from interlock.clock import utc_now
from interlock.errors import (
    DeploymentInProgressError,
    EnvironmentLockedError,
    InvalidRequestError,
    PermanentError,
    SupersededError,
)
from interlock.models.deployment import Deployment
from interlock.models.request import DeploymentRequest
from tasks.slot import Held

_STEPS = ("check_active", "check", "acquire_slot")
_REFUSALS = [
    DeploymentInProgressError("busy"),
    EnvironmentLockedError("locked"),
    SupersededError("a newer one came"),
    InvalidRequestError(["template: wrong"]),
]


@given(at=st.sampled_from(_STEPS), refusal=st.sampled_from(_REFUSALS), template=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
def test_promise_6_a_refusal_ends_a_request_before_any_later_check_whatever_is_wrong_with_it(
    monkeypatch: pytest.MonkeyPatch, at: str, refusal: PermanentError, template: str
) -> None:
    done: list[str] = []
    for step in _STEPS:
        monkeypatch.setattr(flow, step, _step(done, step, refusal if step == at else None))
    monkeypatch.setattr(flow, "wait_for_approval", lambda deployment: deployment)
    monkeypatch.setattr(flow, "notify", lambda _deployment: None)

    outcome = flow._outcome(_deployment(), DeploymentRequest(environment="staging", template=template), Held())
    assert done == [*_STEPS[: _STEPS.index(at) + 1]]
    assert outcome.reason


def _step(done: list[str], name: str, refusal: PermanentError | None) -> Any:
    def step(*_: object) -> None:
        done.append(name)
        if refusal:
            raise refusal

    return step


def _deployment() -> Deployment:
    now = utc_now()
    return Deployment(
        correlation_id="20261124-060000-00000001",
        environment="staging",
        stack_name="app",
        region="us-east-1",
        started_at=now,
        updated_at=now,
        asked_at=now,
    )
