"""The way to CloudWatch Logs: makes what is missing there, is patient with outages, and never raises.

watchtower calls it, from a thread of its own, as it would call boto3's client.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

RETENTION_DAYS = 90
"""Of a group that is made here; that of an existing one is its owner's affair."""
PAUSE_SECONDS = 5.0
_CONNECT_SECONDS = 2
_READ_SECONDS = 5
_NEVER = frozenset({"InvalidParameterException"})
"""What the service says of lines that it will not take the next time either."""

log = logging.getLogger(__name__)


def logs_client() -> "CloudWatchLogsClient":
    """With the credentials and the region of the worker, not those of an environment's role."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 2},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        user_agent_extra="interlock",
    )
    session = boto3.Session()
    # botocore itself reads only AWS_DEFAULT_REGION; containers and people set the other one.
    return session.client("logs", config=config, region_name=session.region_name or os.environ.get("AWS_REGION"))


class Courier:
    """Delivers batches of lines. While CloudWatch takes none it tries again, until it is told to give up."""

    def __init__(
        self,
        group: str,
        make_client: Callable[[], "CloudWatchLogsClient"] = logs_client,
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._group = group
        self._make_client = make_client
        self._pause_seconds = pause_seconds
        self._given_up = threading.Event()
        self._told = False
        self.delivered = 0
        """How many lines CloudWatch has taken."""

    def give_up(self) -> None:
        """Try no more than once from now on."""
        self._given_up.set()

    def put_log_events(self, **batch: Any) -> dict[str, Any] | None:
        """The service's answer; None for a batch that is lost. The parameters are boto3's."""
        stream, events = batch["logStreamName"], batch["logEvents"]
        while True:
            try:
                answer = self._put(stream, events)
            except (BotoCoreError, ClientError) as error:
                self._tell_once(error)
                if _is_hopeless(error) or self._given_up.wait(self._pause_seconds):
                    return None
            else:
                self.delivered += len(events)
                return answer

    @cached_property
    def _client(self) -> "CloudWatchLogsClient":
        """Made with the first batch, in watchtower's thread: it takes 0.2 s that no deployment should wait for."""
        return self._make_client()

    def _put(self, stream: str, events: Sequence[Any]) -> dict[str, Any]:
        try:
            return dict(self._client.put_log_events(logGroupName=self._group, logStreamName=stream, logEvents=events))
        except self._client.exceptions.ResourceNotFoundException:
            self._make(stream)
            return dict(self._client.put_log_events(logGroupName=self._group, logStreamName=stream, logEvents=events))

    def _make(self, stream: str) -> None:
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            try:
                self._client.create_log_stream(logGroupName=self._group, logStreamName=stream)
            except self._client.exceptions.ResourceNotFoundException:
                self._make_group()
                self._client.create_log_stream(logGroupName=self._group, logStreamName=stream)

    def _make_group(self) -> None:
        with suppress(self._client.exceptions.ResourceAlreadyExistsException):
            self._client.create_log_group(logGroupName=self._group)
            with suppress(ClientError):  # not permitted: the group then keeps its lines for ever
                self._client.put_retention_policy(logGroupName=self._group, retentionInDays=RETENTION_DAYS)

    def _tell_once(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            log.warning(
                "CloudWatch Logs does not take the log (group %s): %s. Nothing waits for it.", self._group, error
            )


def _is_hopeless(error: BotoCoreError | ClientError) -> bool:
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _NEVER
