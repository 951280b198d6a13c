"""Following a flow run to its end: quick to notice it, thrifty in between, patient with a server that is away."""

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from interlock.cli.display import Display, Progress
from interlock.errors import ExitCode, InterlockError, PrefectUnreachableError
from interlock.prefect_api import PrefectApi
from interlock.prefect_values import FlowRun

PROGRESS_KEY = "interlock-progress"

_STATE_SECONDS = 0.3
"""How often the run's state is read at first; later a little less often."""
_DETAILS_SECONDS = 1.0
"""How often its log and progress are read: they cost the server more."""
_SILENCE_SECONDS = 300.0
"""How long a server may be away if no timeout was given."""
_UNCLAIMED_SECONDS = 20.0
"""A run that nobody has begun after this is worth a word."""


class StoppedWaitingError(InterlockError):
    """This client has waited for as long as it was told to. The deployment goes on."""

    exit_code = ExitCode.STILL_RUNNING


class Follower:
    """Follows one run. The clock counts seconds; a timeout is the client's own and does nothing to the deployment."""

    def __init__(
        self,
        api: PrefectApi,
        display: Display,
        *,
        timeout_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._api = api
        self._display = display
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._sleep = sleep
        self._began_at = clock()
        self._answered_at = clock()
        self._details_at: float | None = None
        self._is_away = False
        self._told_unclaimed = False
        self._told_correlation_id: str | None = None
        self._unclaimed_since: float | None = None
        self._family: list[str] = []
        self._seen: set[str] = set()
        self._newest: datetime | None = None
        self.run: FlowRun | None = None
        """The run as it was last seen: its correlation id appears while it is followed."""

    def follow(self, run: FlowRun) -> FlowRun:
        """The run in its final state.

        Raises:
            StoppedWaitingError: the timeout is over.
            PrefectUnreachableError: the server has been away for too long.
        """
        self.run = run
        while True:
            try:
                run = self.run = self._look(run)
            except PrefectUnreachableError as error:
                self._bear(error)
            if run.is_final:
                return run
            self._check_timeout()
            self._sleep(self._pause())

    def read_last_lines(self, *, patience_seconds: float) -> None:
        """Lines travel in batches: the last may come after the run's end. They decide nothing: one try."""
        if self.run is None:
            return
        self._sleep(patience_seconds)
        with suppress(PrefectUnreachableError):
            self._read_log(self.run)

    def _look(self, known: FlowRun) -> FlowRun:
        run = self._api.flow_run(known.id)
        if self._is_away:
            self._display.notice("Prefect answers again.")
        self._is_away, self._answered_at = False, self._clock()
        if run.correlation_id and run.correlation_id != self._told_correlation_id:
            self._told_correlation_id = run.correlation_id
            self._display.correlation_id(run.correlation_id)
        has_changed = (run.state_name, run.name) != (known.state_name, known.name)
        if has_changed or self._are_details_due():
            self._read_details(run)
        self._warn_if_unclaimed(run)
        return run

    def _are_details_due(self) -> bool:
        return self._details_at is None or self._clock() - self._details_at >= _DETAILS_SECONDS

    def _read_details(self, run: FlowRun) -> None:
        self._details_at = self._clock()
        if not run.is_waiting_for_a_process:
            self._family = self._api.with_subflows(run.id)
        self._read_log(run)
        artifact = self._api.artifacts(self._family, [PROGRESS_KEY]).get(PROGRESS_KEY) if self._family else None
        self._display.progress(Progress.of(run, artifact))

    def _read_log(self, run: FlowRun) -> None:
        for line in self._api.logs(self._family or [run.id], since=self._newest):
            if line.id not in self._seen:
                self._seen.add(line.id)
                self._newest = max(self._newest or line.timestamp, line.timestamp)
                self._display.log(line)

    def _warn_if_unclaimed(self, run: FlowRun) -> None:
        if run.state_type != "SCHEDULED":
            self._unclaimed_since = None
            return
        self._unclaimed_since = self._unclaimed_since or self._clock()
        if not self._told_unclaimed and self._clock() - self._unclaimed_since >= _UNCLAIMED_SECONDS:
            self._told_unclaimed = True
            self._display.notice(
                "Nobody has begun this run yet. Is `interlock up`, or a worker, running for this server?"
            )

    def _bear(self, error: PrefectUnreachableError) -> None:
        if not self._is_away:
            self._display.notice(f"{error.message} The deployment goes on; trying again.")
        self._is_away = True
        silent_seconds = self._clock() - self._answered_at
        limit = _SILENCE_SECONDS if self._timeout_seconds is None else self._timeout_seconds
        if silent_seconds >= limit or self._is_time_over():
            raise error

    def _is_time_over(self) -> bool:
        return self._timeout_seconds is not None and self._clock() - self._began_at >= self._timeout_seconds

    def _check_timeout(self) -> None:
        if self._is_time_over():
            raise StoppedWaitingError("The client's --timeout is over.")

    def _pause(self) -> float:
        """Short at first, up to a second for a deployment of ten minutes; longer while nobody answers."""
        if self._is_away:
            return 1.0
        return min(1.0, _STATE_SECONDS + (self._clock() - self._began_at) / 900)
