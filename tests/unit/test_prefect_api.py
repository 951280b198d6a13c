"""The client of Prefect's REST API, against answers as a real server gave them."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from interlock.errors import (
    AlreadyFinishedError,
    DeploymentNotFoundError,
    InvalidRequestError,
    PrefectUnreachableError,
    UnknownEnvironmentError,
)
from interlock.prefect_api import PrefectApi, PrefectRefusedError
from interlock.prefect_values import FlowRun

RUN_ID = "9194bf82-2048-4a56-9241-464c64ddeea0"
CORRELATION_ID = "20261124-060457-9b921236"
ENVIRON = {"PREFECT_API_URL": "http://prefect.test/api"}

Handler = Callable[[httpx.Request], httpx.Response]


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def read(self) -> float:
        return self.now


def api(handler: Handler, environ: dict[str, str] | None = None, time: Time | None = None) -> PrefectApi:
    time = time or Time()
    transport = httpx.MockTransport(handler)
    return PrefectApi(environ or ENVIRON, transport=transport, sleep=time.sleep, clock=time.read)


def answers(*responses: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A server that gives these answers in turn, the last for ever; and the requests that it got."""
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        answer = responses[min(len(requests), len(responses)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler, requests


def run_body(name: str = "jolly-lemur", state: str = "SCHEDULED", **more: Any) -> dict[str, Any]:
    return {"id": RUN_ID, "name": name, "state": {"type": state, "name": state.title(), "message": None}, **more}


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)


def test_an_environment_is_found_by_the_name_of_its_prefect_deployment() -> None:
    handler, requests = answers(httpx.Response(200, json={"id": "d-1"}))
    assert api(handler).deployment_id("staging") == "d-1"
    assert requests[0].url == "http://prefect.test/api/deployments/name/deploy/staging"


def test_an_unknown_environment_is_told_with_those_that_are_known() -> None:
    handler, _ = answers(
        httpx.Response(404, json={"detail": "Deployment not found"}),
        httpx.Response(200, json=[{"name": "production"}, {"name": "staging"}]),
    )
    with pytest.raises(UnknownEnvironmentError, match=r"deploy/stagin .*known: production, staging.*interlock setup"):
        api(handler).deployment_id("stagin")


def test_a_name_with_a_slash_cannot_reach_another_address() -> None:
    handler, requests = answers(httpx.Response(200, json={"id": "d-1"}))
    api(handler).deployment_id("../../flows")
    assert requests[0].url.raw_path == b"/api/deployments/name/deploy/..%2F..%2Fflows"


def test_the_default_address_is_this_machine() -> None:
    handler, _ = answers(httpx.Response(200))
    assert api(handler, {"HOME": "/"}).url == "http://127.0.0.1:4200/api"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PREFECT_API_KEY": "k"}, "Bearer k"),
        ({"PREFECT_API_AUTH_STRING": "admin:pass"}, "Basic " + base64.b64encode(b"admin:pass").decode()),
        ({"PREFECT_API_AUTH_STRING": "admin:pass", "PREFECT_API_KEY": "k"}, "Basic YWRtaW46cGFzcw=="),
    ],
)
def test_credentials_are_sent_as_prefect_sends_them(environ: dict[str, str], expected: str) -> None:
    handler, requests = answers(httpx.Response(200, json={"id": "d-1"}))
    api(handler, {**ENVIRON, **environ}).deployment_id("staging")
    assert requests[0].headers["Authorization"] == expected


def test_refused_credentials_are_told_without_repeating_them() -> None:
    handler, requests = answers(httpx.Response(401, json={"exception_message": "Unauthorized"}))
    with pytest.raises(PrefectRefusedError, match="PREFECT_API_AUTH_STRING") as caught:
        api(handler, {**ENVIRON, "PREFECT_API_AUTH_STRING": "admin:planted"}).deployment_id("staging")
    assert len(requests) == 1
    assert "planted" not in str(caught.value)
    assert caught.value.exit_code == 7


def test_a_refused_connection_is_told_at_once() -> None:
    handler, requests = answers(httpx.ConnectError("Connection refused"))
    with pytest.raises(PrefectUnreachableError, match=r"prefect.test/api.*interlock up"):
        api(handler).deployment_id("staging")
    assert len(requests) == 1


def test_asking_for_a_run_is_repeated_with_the_same_key_while_prefect_has_no_time() -> None:
    handler, requests = answers(
        httpx.Response(503),
        httpx.ReadTimeout("no answer"),
        httpx.ConnectError("Connection refused"),
        httpx.Response(201, json=run_body()),
    )
    run = api(handler).create_flow_run("d-1", {"environment": "staging"}, idempotency_key="k-1")
    assert run.id == RUN_ID
    assert not run.is_reused
    assert {body_of(request)["idempotency_key"] for request in requests} == {"k-1"}
    assert len(requests) == 4


def test_asking_for_a_run_ends_after_ten_seconds_without_an_answer() -> None:
    handler, _ = answers(httpx.Response(503))
    time = Time()
    with pytest.raises(PrefectUnreachableError, match="HTTP 503"):
        api(handler, time=time).create_flow_run("d-1", {}, idempotency_key="k-1")
    assert 8 <= time.now <= 10


def test_parameters_that_prefect_refuses_are_an_invalid_request() -> None:
    detail = "Error creating flow run: Validation failed for field 'environment'."
    handler, _ = answers(httpx.Response(409, json={"detail": detail}))
    with pytest.raises(InvalidRequestError) as caught:
        api(handler).create_flow_run("d-1", {}, idempotency_key="k-1")
    assert caught.value.problems == [detail]
    assert caught.value.exit_code == 5


def test_a_request_that_is_too_large_is_told_without_repeating_it() -> None:
    message = "Flow run parameters must be less than 524,288 bytes when serialized (got 600,033 bytes)."
    detail = {"exception_detail": [{"msg": f"Value error, {message}", "input": {"template": "planted"}}]}
    handler, _ = answers(httpx.Response(422, json=detail))
    with pytest.raises(InvalidRequestError) as caught:
        api(handler).create_flow_run("d-1", {}, idempotency_key="k-1")
    (problem,) = caught.value.problems
    assert problem.startswith(message)
    assert "s3://bucket/key" in problem


def test_a_key_used_again_for_the_same_request_joins_the_first_run() -> None:
    handler, _ = answers(httpx.Response(200, json=run_body(parameters={"template": "x", "environment": "staging"})))
    run = api(handler).create_flow_run("d-1", {"template": "x"}, idempotency_key="k-1")
    assert run.is_reused


def test_a_key_used_again_for_another_request_is_refused() -> None:
    handler, _ = answers(httpx.Response(200, json=run_body(parameters={"template": "x"})))
    with pytest.raises(InvalidRequestError, match="belongs to another request"):
        api(handler).create_flow_run("d-1", {"template": "y"}, idempotency_key="k-1")


def test_the_correlation_id_is_the_end_of_the_runs_name() -> None:
    handler, _ = answers(httpx.Response(200, json=run_body(name=f"staging {CORRELATION_ID}")))
    assert api(handler).flow_run(RUN_ID).correlation_id == CORRELATION_ID


def test_a_run_without_its_own_name_has_no_correlation_id_yet() -> None:
    handler, _ = answers(httpx.Response(200, json=run_body()))
    assert api(handler).flow_run(RUN_ID).correlation_id is None


def test_a_run_is_found_by_its_correlation_id_alone() -> None:
    found = [run_body(name=f"staging {CORRELATION_ID} again"), run_body(name=f"staging {CORRELATION_ID}")]
    handler, requests = answers(httpx.Response(200, json=found))
    assert api(handler).flow_run_of(CORRELATION_ID).name == f"staging {CORRELATION_ID}"
    assert body_of(requests[0])["flow_runs"]["name"] == {"like_": CORRELATION_ID}


def test_a_correlation_id_without_a_run_is_told() -> None:
    handler, _ = answers(httpx.Response(200, json=[]))
    with pytest.raises(DeploymentNotFoundError, match=CORRELATION_ID):
        api(handler).flow_run_of(CORRELATION_ID)


def test_the_runs_that_a_run_started_belong_to_it() -> None:
    handler, requests = answers(httpx.Response(200, json=[run_body() | {"id": "m-1"}]))
    assert api(handler).with_subflows(RUN_ID) == [RUN_ID, "m-1"]
    assert body_of(requests[0])["flow_runs"] == {"parent_flow_run_id": {"any_": [RUN_ID]}}


def log(number: int) -> dict[str, Any]:
    moment = f"2026-11-24T06:04:57.{number:06d}Z"
    return {
        "id": f"l-{number}",
        "timestamp": moment,
        "level": 20,
        "name": "prefect.flow_runs",
        "message": f"line {number}",
    }


def test_all_pages_of_a_log_are_read() -> None:
    handler, requests = answers(
        httpx.Response(200, json=[log(number) for number in range(200)]), httpx.Response(200, json=[log(200)])
    )
    lines = api(handler).logs([RUN_ID])
    assert [line.message for line in lines] == [f"line {number}" for number in range(201)]
    assert [body_of(request)["offset"] for request in requests] == [0, 200]


def test_a_log_is_read_again_from_a_little_before_the_last_line() -> None:
    handler, requests = answers(httpx.Response(200, json=[]))
    api(handler).logs([RUN_ID], since=datetime(2026, 11, 24, 6, 5, 0, tzinfo=UTC))
    assert body_of(requests[0])["logs"]["timestamp"] == {"after_": "2026-11-24T06:04:55+00:00"}


@pytest.mark.parametrize("data", [{"status": "FAILED"}, '{"status": "FAILED"}', '"{\\"status\\": \\"FAILED\\"}"'])
def test_an_artifact_is_decoded_however_it_was_stored(data: object) -> None:
    handler, _ = answers(httpx.Response(200, json=[{"key": "interlock-outcome", "data": data, "description": None}]))
    assert api(handler).artifacts([RUN_ID], ["interlock-outcome"])["interlock-outcome"].data == {"status": "FAILED"}


def test_text_that_is_no_json_is_an_artifact_too() -> None:
    handler, _ = answers(httpx.Response(200, json=[{"key": "note", "data": "all is well", "description": None}]))
    assert api(handler).artifacts([RUN_ID], ["note"])["note"].data == "all is well"


def set_state(status: str, state: str, reason: str | None = None) -> httpx.Response:
    details = {"type": "details", "reason": reason}
    return httpx.Response(
        201, json={"status": status, "state": {"type": state, "name": state.title()}, "details": details}
    )


def cancel(answer: httpx.Response) -> list[httpx.Request]:
    handler, requests = answers(httpx.Response(200, json=run_body()), answer)
    client = api(handler)
    client.cancel(client.flow_run(RUN_ID), reason="no longer wanted")
    return requests


def test_a_run_is_cancelled_with_the_reason() -> None:
    requests = cancel(set_state("ACCEPT", "CANCELLING"))
    assert requests[1].url.path == f"/api/flow_runs/{RUN_ID}/set_state"
    assert body_of(requests[1])["state"] == {"type": "CANCELLING", "name": "Cancelling", "message": "no longer wanted"}


def test_a_run_that_has_not_begun_is_cancelled_although_prefect_calls_that_a_rejection() -> None:
    assert cancel(set_state("REJECT", "CANCELLED", "Scheduled flow run has no infrastructure to terminate."))


def test_a_run_that_has_ended_is_not_cancelled() -> None:
    with pytest.raises(AlreadyFinishedError, match="Completed"):
        cancel(set_state("ABORT", "COMPLETED", "Run is already in terminal state."))


def test_an_address_that_is_not_prefects_api_is_told() -> None:
    handler, _ = answers(httpx.Response(200, text="<html>"))
    with pytest.raises(PrefectRefusedError, match="ends in /api"):
        api(handler).deployment_id("staging")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PREFECT_API_URL": "http://127.0.0.1:4200/api/"}, "http://127.0.0.1:4200/runs/flow-run/r"),
        ({**ENVIRON, "PREFECT_UI_URL": "https://prefect.example/ui/"}, "https://prefect.example/ui/runs/flow-run/r"),
        (
            {"PREFECT_API_URL": "https://api.prefect.cloud/api/accounts/a/workspaces/w"},
            "https://app.prefect.cloud/account/a/workspace/w/runs/flow-run/r",
        ),
    ],
)
def test_a_run_has_a_page_in_prefects_ui(environ: dict[str, str], expected: str) -> None:
    handler, _ = answers(httpx.Response(200))
    assert api(handler, environ).flow_run_url("r") == expected


def test_an_answer_goes_to_the_run_that_waits_for_it() -> None:
    handler, requests = answers(httpx.Response(201, json={"status": "ACCEPT", "state": {"type": "SCHEDULED"}}))
    run = FlowRun(RUN_ID, f"staging {CORRELATION_ID}", "PAUSED", "Suspended")
    api(handler).resume(run, {"decision": "approve", "actor": "ada"})
    assert requests[0].url.path == f"/api/flow_runs/{RUN_ID}/resume"
    assert json.loads(requests[0].content) == {"run_input": {"decision": "approve", "actor": "ada"}}


@pytest.mark.parametrize("status", ["ABORT", "REJECT"])
def test_a_run_that_waits_for_no_such_answer_is_an_invalid_request(status: str) -> None:
    details = {"reason": "Cannot resume a flow run that is not paused."}
    handler, _ = answers(httpx.Response(200, json={"status": status, "state": None, "details": details}))
    run = FlowRun(RUN_ID, f"staging {CORRELATION_ID}", "COMPLETED", "Succeeded")
    with pytest.raises(InvalidRequestError, match=r"does not wait for this \(Succeeded\): Cannot resume"):
        api(handler).resume(run, {"decision": "approve", "actor": "ada"})


def test_a_sweep_that_cannot_be_asked_for_is_left_to_its_schedule() -> None:
    handler, requests = answers(httpx.ConnectError("refused"))
    api(handler).sweep()
    assert len(requests) == 1
