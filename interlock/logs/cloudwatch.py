"""The log to CloudWatch Logs: watchtower queues and batches, this bounds it. A deployment neither waits for it nor fails.

watchtower's own ways do not suit a deployment everywhere: its queue has no bound, it waits for half a minute at the end,
it gives a batch up after five attempts at once and tells nobody how many lines that were, and it drops what other threads
log while it makes a stream. So the queue is bounded here, and what speaks to AWS is `Courier`.
"""

import logging
import warnings
from typing import Any

from watchtower import CloudWatchLogHandler, WatchtowerWarning

from interlock.logs import courier as courier_module
from interlock.logs.courier import Courier
from interlock.logs.lines import JsonLine
from interlock.logs.subject import stream_name

SEND_SECONDS = 1
"""A line is in CloudWatch about this long after it was written."""
FLUSH_SECONDS = 3
"""How long the end of a process may wait for its last lines."""
MOST_WAITING = 10_000
"""Lines kept while CloudWatch takes none: some megabytes, and more than most deployments write."""

log = logging.getLogger(__name__)
_OWN = (__name__, courier_module.__name__)
"""What the way to CloudWatch says of itself must not go that way."""

warnings.filterwarnings("ignore", category=WatchtowerWarning)  # the courier says what is worth saying, once


class CloudWatchLog(CloudWatchLogHandler):
    """Lines go to the stream of this process. What does not fit is dropped, counted, and told at the end."""

    def __init__(
        self,
        group: str,
        courier: Courier | None = None,
        *,
        most_waiting: int = MOST_WAITING,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self._courier = courier or Courier(group)
        self._most_waiting = most_waiting
        self._flush_seconds = flush_seconds
        self._accepted = 0
        self._dropped = 0
        client: Any = self._courier  # all that watchtower calls of a client when it need not make the group
        super().__init__(group, boto3_client=client, send_interval=SEND_SECONDS, create_log_group=False)
        self.setFormatter(JsonLine())
        self.addFilter(self._is_of_others)

    @property
    def lost(self) -> int:
        """Lines that CloudWatch does not have: dropped, or not taken so far."""
        return self._dropped + self._accepted - self._courier.delivered

    def emit(self, message: logging.LogRecord) -> None:
        if sum(waiting.qsize() for waiting in self.queues.values()) >= self._most_waiting:
            self._dropped += 1
            return
        self.log_stream_name = stream_name()
        self._accepted += 1
        super().emit(message)  # type: ignore[no-untyped-call]  # watchtower's methods have no types

    def _is_of_others(self, record: logging.LogRecord) -> bool:
        """A filter, for those come before the lock: Python holds it during the last flush, which waits for the sender."""
        return record.name not in _OWN and record.thread not in {thread.ident for thread in self.threads}

    def flush(self) -> None:
        """Wait until what is queued was delivered, for some seconds at most, however many streams there are."""
        self.FLUSH_TIMEOUT = self._flush_seconds / max(1, len(self.queues))  # type: ignore[assignment]  # a float will do
        super().flush()  # type: ignore[no-untyped-call]  # watchtower's methods have no types

    def close(self) -> None:
        """Give up what a flush before this could not deliver, and say how much that is."""
        if not self.shutting_down:
            self._courier.give_up()
            super().close()  # type: ignore[no-untyped-call]  # watchtower's methods have no types
            self._tell_lost()

    def _tell_lost(self) -> None:
        if self.lost:
            log.warning(
                "Lines of the log that did not reach CloudWatch Logs (group %s): %d.", self.log_group_name, self.lost
            )


def finish(root: logging.Logger) -> None:
    """Send the last lines, for a few seconds at most: a forked process ends without Python's own exit handlers."""
    for handler in [handler for handler in root.handlers if isinstance(handler, CloudWatchLog)]:
        handler.flush()
        handler.close()
        root.removeHandler(handler)
