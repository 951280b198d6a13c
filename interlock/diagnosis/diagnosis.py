"""The diagnosis of one environment's resources, bounded in time: a deployment's monitor waits for it."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from interlock.diagnosis.aws import Aws, UnreadableError
from interlock.diagnosis.findings import finding
from interlock.diagnosis.handlers import Look, looks_at
from interlock.models.finding import Finding, Suspect

BUDGET_SECONDS = 4.0
"""The longest that a diagnosis keeps its caller waiting."""
_MOST_SUSPECTS = 3
_MOST_FINDINGS = 20
_DEEPEST = 3


class Diagnosis:
    """`client_of` makes a boto3 client of a service with the environment's rights; it may take its time to."""

    def __init__(self, client_of: Callable[[str], Any], *, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._client_of = client_of
        self._budget_seconds = budget_seconds
        self._of_failures: dict[Suspect, tuple[Finding, ...]] = {}

    def of(self, suspects: Iterable[Suspect]) -> tuple[Finding, ...]:
        """What can be found out of the first few within the budget. Raises nothing."""
        known = [suspect for suspect in suspects if looks_at(suspect.resource_type)][:_MOST_SUSPECTS]
        if not known:
            return ()
        found: list[Finding] = []
        aws = Aws(self._client_of, until=time.monotonic() + self._budget_seconds)
        # A thread, for the one bound that holds whatever boto3 does (credentials, name lookups, slow imports); a daemon, so
        # that a process may end without it. It only reads.
        thread = threading.Thread(target=_look_at, args=(known, aws, found), name="diagnosis", daemon=True)
        thread.start()
        thread.join(self._budget_seconds)
        late = [finding("AWS answered too slowly to find out everything.")] if thread.is_alive() else []
        return tuple([*found, *late][:_MOST_FINDINGS])

    def of_failure(self, suspect: Suspect) -> tuple[Finding, ...]:
        """As `of`, done once: at the first sight of the failure, before the rollback removes what there is to see."""
        if suspect not in self._of_failures:
            self._of_failures[suspect] = self.of([suspect])
        return self._of_failures[suspect]


def _look_at(suspects: Sequence[Suspect], aws: Aws, found: list[Finding], depth: int = _DEEPEST) -> None:
    for suspect in suspects:
        for look in looks_at(suspect.resource_type):
            _take(look, suspect, aws, found, depth)


def _take(look: Look, suspect: Suspect, aws: Aws, found: list[Finding], depth: int) -> None:
    """What one look finds; its failure is a finding too, and the next look is taken all the same."""
    try:
        for each in look(suspect, aws):
            if isinstance(each, Finding):
                found.append(each)
            elif depth > 0:
                _look_at([each], aws, found, depth - 1)
    except UnreadableError as error:
        if error.finding not in found:
            found.append(error.finding)
    except Exception as error:  # noqa: BLE001 - an odd answer of AWS's must not cost the other findings
        found.append(finding(f"{suspect.logical_id} could not be diagnosed: {type(error).__name__}: {error}"))
