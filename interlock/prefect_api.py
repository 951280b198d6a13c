"""Prefect's REST API: the one module that speaks to it. It needs httpx alone; Prefect itself is never imported.

Every call is bounded: one that is not answered ends in `PrefectUnreachableError`, and whoever follows a run decides
how long to go on asking.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from interlock.errors import (
    AlreadyFinishedError,
    DeploymentNotFoundError,
    ExitCode,
    InvalidRequestError,
    PermanentError,
    PrefectUnreachableError,
    UnknownEnvironmentError,
)
from interlock.prefect_values import OPEN_STATES, Artifact, FlowRun, LogLine, artifact, flow_run, log_line, refusal

if TYPE_CHECKING:  # httpx takes a quarter of a second to import: a wrong command line must not pay for it
    import httpx

DEFAULT_API_URL = "http://127.0.0.1:4200/api"
FLOW_NAME = "deploy"

_PATIENCE_SECONDS = 10.0
"""How long a call is repeated that Prefect had no time for (SQLite answers 503 now and then)."""
_FIRST_PAUSE_SECONDS = 0.2
_TIMEOUT_SECONDS = 10.0
_PAGE = 200
_LATE_LOGS = timedelta(seconds=5)
"""Lines arrive in batches of several writers: one may come this much after a line that is younger than it."""
_INFO = 20
_TOO_LONG = "parameters must be less than"
"""Prefect's words for more than PREFECT_SERVER_API_MAX_PARAMETER_SIZE: 524,288 bytes of JSON by default."""
_UI_ROUTES = (
    ("https://api.prefect.cloud/api", "https://app.prefect.cloud"),
    ("/accounts/", "/account/"),
    ("/workspaces/", "/workspace/"),
)


class PrefectRefusedError(PermanentError):
    """Prefect answered and will not do it: credentials missing or wrong, or a call it does not know."""

    exit_code = ExitCode.NO_PREFECT


class PrefectApi:
    """The calls that Interlock's commands make. A `transport` stands in for the network in tests."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        transport: "httpx.BaseTransport | None" = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = (environ.get("PREFECT_API_URL") or DEFAULT_API_URL).rstrip("/")
        self._ui_url = environ.get("PREFECT_UI_URL") or _ui_url(self.url)
        self._client = _client(self.url, environ, transport)
        self._sleep = sleep
        self._clock = clock

    def flow_run_url(self, flow_run_id: str) -> str:
        """Where people look at the run."""
        return f"{self._ui_url.rstrip('/')}/runs/flow-run/{flow_run_id}"

    def deployment_id(self, environment: str) -> str:
        """The id of the Prefect deployment `deploy/<environment>`.

        Raises:
            UnknownEnvironmentError: Prefect has none; the message names the environments it has.
            PrefectUnreachableError: nobody answers.
        """
        response = self._patiently("GET", f"/deployments/name/{FLOW_NAME}/{quote(environment, safe='')}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise self._unknown(environment)
        return str(_body(response)["id"])

    def environments(self) -> list[str]:
        """The names of all environments that have a Prefect deployment."""
        query = {"flows": {"name": {"any_": [FLOW_NAME]}}, "sort": "NAME_ASC"}
        return [str(found["name"]) for found in _body(self._patiently("POST", "/deployments/filter", query))]

    def create_flow_run(
        self, deployment_id: str, parameters: Mapping[str, Any], *, idempotency_key: str, tags: Sequence[str] = ()
    ) -> FlowRun:
        """Ask for a run. Repeated with the same key until it is answered: the key makes that harmless.

        Raises:
            InvalidRequestError: Prefect's schema check refused the parameters, or the key belongs to another request.
            PrefectUnreachableError: no answer for 10 seconds; the run may exist all the same.
        """
        body = {"parameters": dict(parameters), "idempotency_key": idempotency_key, "tags": list(tags)}
        response = self._patiently("POST", f"/deployments/{deployment_id}/create_flow_run", body, repeat_refused=True)
        if response.status_code in (400, 409, 413, 422):
            raise InvalidRequestError([_with_hint(refusal(response))])
        run = flow_run(_body(response), is_reused=response.status_code == HTTPStatus.OK)
        if run.is_reused and _differ(run.parameters or {}, parameters):
            raise InvalidRequestError(
                [f"idempotency key {idempotency_key!r}: belongs to another request (flow run {run.id})"]
            )
        return run

    def flow_run(self, flow_run_id: str) -> FlowRun:
        response = self._once("GET", f"/flow_runs/{flow_run_id}")
        if response.status_code in (404, 422):
            raise DeploymentNotFoundError(f"Prefect has no flow run {flow_run_id}.")
        return flow_run(_body(response))

    def flow_run_of(self, correlation_id: str) -> FlowRun:
        """The run whose name ends in this correlation id.

        Raises:
            DeploymentNotFoundError: there is none.
        """
        # Only the name's end is known here: the environment before it is not.
        query = {"flow_runs": {"name": {"like_": correlation_id}}, "sort": "EXPECTED_START_TIME_DESC", "limit": 10}
        runs = [flow_run(found) for found in _body(self._patiently("POST", "/flow_runs/filter", query))]
        for run in runs:
            if run.correlation_id == correlation_id:
                return run
        raise DeploymentNotFoundError(
            f"Prefect has no flow run of {correlation_id}.",
            next_step="`interlock history ENVIRONMENT` lists those that were.",
        )

    def open_runs(self, deployment_id: str) -> list[FlowRun]:
        """The runs of a Prefect deployment that have not ended, in the order in which they were asked for."""
        query = {
            "deployments": {"id": {"any_": [deployment_id]}},
            "flow_runs": {"state": {"type": {"any_": list(OPEN_STATES)}}},
            "limit": _PAGE,
        }
        found = [flow_run(body) for body in _body(self._patiently("POST", "/flow_runs/filter", query))]
        return sorted(found, key=lambda run: (run.created_at is None, run.created_at))

    def ended_runs(self, deployment_id: str, states: Sequence[str], *, limit: int = 50) -> list[FlowRun]:
        """The latest runs of a Prefect deployment that ended in one of these states (by name), the last to end first."""
        query = {
            "deployments": {"id": {"any_": [deployment_id]}},
            "flow_runs": {"state": {"name": {"any_": list(states)}}},
            "sort": "END_TIME_DESC",
            "limit": limit,
        }
        return [flow_run(body) for body in _body(self._patiently("POST", "/flow_runs/filter", query))]

    def with_subflows(self, flow_run_id: str) -> list[str]:
        """The run's id and those of the runs that it started itself: the monitor's log and progress are its own."""
        query = {"flow_runs": {"parent_flow_run_id": {"any_": [flow_run_id]}}, "limit": _PAGE}
        return [flow_run_id, *(str(found["id"]) for found in _body(self._once("POST", "/flow_runs/filter", query)))]

    def logs(self, flow_run_ids: Sequence[str], *, since: datetime | None = None) -> list[LogLine]:
        """Lines in the order of their time: all, or those not much older than `since` (some may be known already)."""
        filters: dict[str, Any] = {"flow_run_id": {"any_": list(flow_run_ids)}, "level": {"ge_": _INFO}}
        if since:
            filters["timestamp"] = {"after_": (since - _LATE_LOGS).isoformat()}
        lines: list[LogLine] = []
        while True:
            query = {"logs": filters, "sort": "TIMESTAMP_ASC", "offset": len(lines), "limit": _PAGE}
            page = _body(self._once("POST", "/logs/filter", query))
            lines += [log_line(found) for found in page]
            if len(page) < _PAGE:
                return lines

    def artifacts(self, flow_run_ids: Sequence[str], keys: Sequence[str]) -> dict[str, Artifact]:
        """The latest artifact of each of these keys, where there is one."""
        filters = {"flow_run_id": {"any_": list(flow_run_ids)}, "key": {"any_": list(keys)}}
        query = {"artifacts": filters, "sort": "UPDATED_DESC"}
        found: dict[str, Artifact] = {}
        for item in _body(self._once("POST", "/artifacts/filter", query)):
            found.setdefault(item["key"], artifact(item))
        return found

    def cancel(self, run: FlowRun, *, reason: str) -> None:
        """Ask Prefect to cancel the run; the flow ends in its own time.

        Raises:
            AlreadyFinishedError: it has ended.
            PrefectRefusedError: Prefect's rules do not allow it.
        """
        state = {"type": "CANCELLING", "name": "Cancelling", "message": reason}
        answer = _body(self._patiently("POST", f"/flow_runs/{run.id}/set_state", {"state": state, "force": False}))
        if answer["status"] == "ACCEPT":
            return
        # A run that has not begun is not "cancelling": Prefect rejects that and cancels it at once.
        settled = flow_run({"id": run.id, "name": run.name, "state": answer.get("state")})
        if answer["status"] == "REJECT" and settled.is_being_cancelled:
            return
        if settled.is_final:
            raise AlreadyFinishedError(
                f"The run has already ended: {settled.state_name}.", correlation_id=run.correlation_id
            )
        why = (answer.get("details") or {}).get("reason") or "no reason given"
        raise PrefectRefusedError(f"Prefect does not cancel the run: {why}", correlation_id=run.correlation_id)

    def read(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Any one reading of the API, asked once: what the doctor looks at."""
        return _body(self._once("GET" if query is None else "POST", path, query))

    def server_time(self) -> datetime | None:
        """The server's clock, to the second; None if it does not tell."""
        date = self._once("GET", "/health").headers.get("date")
        return parsedate_to_datetime(date) if date else None

    def resume(self, run: FlowRun, answer: Mapping[str, str]) -> None:
        """Give a run that waits for approval the answer that it waits for.

        Raises:
            InvalidRequestError: it does not wait for one, or not for this.
        """
        done = _body(self._patiently("POST", f"/flow_runs/{run.id}/resume", {"run_input": dict(answer)}))
        if done["status"] != "ACCEPT":
            why = (done.get("details") or {}).get("reason") or "no reason given"
            raise InvalidRequestError(
                [f"{run.correlation_id or run.id}: does not wait for this ({run.state_name}): {why}"],
                correlation_id=run.correlation_id,
            )

    def sweep(self) -> None:
        """Ask for a sweep now. One that cannot be asked for comes by itself, later."""
        with suppress(PrefectUnreachableError, PrefectRefusedError):
            found = self._patiently("GET", "/deployments/name/stall-sweep/scheduled")
            if found.is_success:
                self._patiently("POST", f"/deployments/{_body(found)['id']}/create_flow_run", {})

    def _unknown(self, environment: str) -> UnknownEnvironmentError:
        known = ", ".join(self.environments())
        return UnknownEnvironmentError(
            f"There is no Prefect deployment {FLOW_NAME}/{environment} at {self.url} (known: {known or 'none'}).",
            next_step="Correct the name, or add the environment and run `interlock setup` or `interlock up`.",
        )

    def _patiently(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, repeat_refused: bool = False
    ) -> "httpx.Response":
        """Repeat a call that got no answer; a refused connection is an answer, unless we were just connected."""
        import httpx  # noqa: PLC0415 - heavy, see above

        deadline, pause = self._clock() + _PATIENCE_SECONDS, _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._once(method, path, body)
            except PrefectUnreachableError as error:
                refused = isinstance(error.__cause__, httpx.ConnectError)
                if (refused and not repeat_refused) or self._clock() + pause > deadline:
                    raise
            self._sleep(pause)
            pause = min(2 * pause, 2.0)

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> "httpx.Response":
        import httpx  # noqa: PLC0415 - heavy, see above

        try:
            response = self._client.request(method, self.url + path, json=body)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        if response.status_code in (429, 500, 502, 503, 504):
            raise self._unreachable(f"HTTP {response.status_code}")
        if response.status_code in (401, 403):
            raise PrefectRefusedError(
                f"Prefect at {self.url} does not accept our credentials (HTTP {response.status_code}).",
                next_step="Set PREFECT_API_KEY (Prefect Cloud) or PREFECT_API_AUTH_STRING (a server of your own).",
            )
        return response

    def _unreachable(self, why: str) -> PrefectUnreachableError:
        return PrefectUnreachableError(
            f"Prefect does not answer at {self.url} ({why}).",
            next_step="Start it with `interlock up`, or set PREFECT_API_URL to the API of the server that is running.",
        )


def _client(url: str, environ: Mapping[str, str], transport: "httpx.BaseTransport | None") -> "httpx.Client":
    # Both cost more than all that is needed: httpx's own command line (rich, pygments) and HTTP/2, never spoken here.
    with _as_if_not_installed("httpx._main", "h2"):
        import httpx  # noqa: PLC0415 - heavy, see above

        from interlock.plain_http import needed_certificates  # noqa: PLC0415 - imports ssl

        return httpx.Client(
            headers=_credentials(environ),
            timeout=_TIMEOUT_SECONDS,
            transport=transport,
            # A proxy of the environment is never meant for this machine.
            trust_env=httpx.URL(url).host not in ("127.0.0.1", "localhost", "::1"),
            verify=needed_certificates(url),
        )


@contextmanager
def _as_if_not_installed(*names: str) -> Iterator[None]:
    """While this lasts, importing these modules fails, which their importers expect of optional ones."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is Python's mark for it
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _ui_url(api_url: str) -> str:
    for ending, replacement in _UI_ROUTES:
        api_url = api_url.replace(ending, replacement)
    return api_url.removesuffix("/api").replace("/api/", "/")


def _body(response: "httpx.Response") -> Any:
    """The answer's JSON.

    Raises:
        PrefectRefusedError: it is none, or a refusal that no caller expects: perhaps not Prefect's API at all.
    """
    if response.is_success:
        try:
            return response.json()
        except ValueError:
            pass  # told below, with what was asked
    raise PrefectRefusedError(
        f"{response.request.url} answers what Prefect's API would not: {refusal(response)}.",
        next_step="PREFECT_API_URL must be the address of the API: it ends in /api.",
    )


def _with_hint(refused: str) -> str:
    if _TOO_LONG not in refused:
        return refused
    return f"{refused} Upload the template and name `s3://bucket/key`, or raise the limit of a server of your own."


def _differ(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Prefect adds the Prefect deployment's own parameters to ours, so only ours are compared."""
    return any(theirs.get(name) != value for name, value in ours.items())


def _credentials(environ: Mapping[str, str]) -> dict[str, str]:
    import base64  # noqa: PLC0415 - needed by few

    if auth := environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()}
    key = environ.get("PREFECT_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}
