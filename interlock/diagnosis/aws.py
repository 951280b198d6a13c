"""AWS's services as a diagnosis reads them: each request once, briefly, and not at all when the time is up."""

import json
import time
from collections.abc import Callable
from typing import Any

from interlock.diagnosis.findings import finding
from interlock.models.finding import Finding

Answer = dict[str, Any]

_IAM_PREFIXES = {"elbv2": "elasticloadbalancing"}
_DENIED = ("AccessDenied", "Unauthorized", "NotAuthorized")


class UnreadableError(Exception):
    """Something could not be read; the diagnosis says so and goes on with the rest."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.text)
        self.finding = found


class Aws:
    """`client_of` makes a boto3 client of a service. `until` is a moment of `clock`, after which nothing is asked."""

    def __init__(
        self, client_of: Callable[[str], Any], *, until: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client_of = client_of
        self._until = until
        self._clock = clock
        self._answers: dict[str, Answer] = {}

    @property
    def is_time_up(self) -> bool:
        return self._clock() >= self._until

    def ask(self, service: str, operation: str, **arguments: Any) -> Answer:
        """One answer; the same question is not asked twice.

        Raises:
            UnreadableError: refused, unreachable, or too late.
        """
        question = json.dumps([service, operation, arguments], sort_keys=True)
        if question not in self._answers:
            self._answers[question] = self._asked(service, operation, arguments)
        return self._answers[question]

    def _asked(self, service: str, operation: str, arguments: Answer) -> Answer:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (heavy; imported when used)

        if self.is_time_up:
            raise UnreadableError(finding(f"{service}: not asked, the time for the diagnosis was up."))
        try:
            return dict(getattr(self._client_of(service), operation)(**arguments))
        except ClientError as error:
            raise UnreadableError(_refusal(service, error)) from error
        except BotoCoreError as error:
            raise UnreadableError(finding(f"{service} could not be read: {type(error).__name__}.")) from error


def _refusal(service: str, error: Any) -> Finding:
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    action = f"{_IAM_PREFIXES.get(service, service)}:{error.operation_name}"
    if any(word in code for word in _DENIED):
        return finding(f"Not readable: allow `{action}` to the role that Interlock calls AWS with.")
    return finding(f"{action} was refused: {code}: {error.response.get('Error', {}).get('Message', '')}")
