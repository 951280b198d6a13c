"""One outbox row as calls to Slack, each step stored before the next is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from interlock.models.deployment import Deployment
from interlock.models.notice import OutboxRow, SlackThread
from interlock.notifications.messages import Message, render
from interlock.notifications.outage import summary
from interlock.notifications.ports import Outbox, SlackApi
from interlock.notifications.slack import SlackMessageGoneError


@dataclass
class Sender:
    """Sends the rows of one deployment: the parent first, then the reply, then, after an outage, its summary."""

    outbox: Outbox
    slack: SlackApi
    deployment: Deployment
    channel: str

    def announce(self, row: OutboxRow) -> OutboxRow:
        """The row with Slack's id of what it became.

        Raises:
            SlackUnavailableError: not sent, or not known to be; try again later.
            SlackRefusedError: never to be sent.
        """
        message = render(self.deployment, row.notice)
        thread = self._show_parent(message)
        return row.model_copy(update={"slack_ts": self._reply(thread, message) or thread.parent_ts})

    def sum_up(self, row: OutboxRow, rows: Sequence[OutboxRow], now: datetime) -> None:
        """Says what an outage delayed, if `row`, which is sent, was the last of it. Raises as `announce`."""
        due = summary(rows, row, now)
        thread = self.outbox.thread(row.correlation_id)
        if due is not None and thread is not None:
            self._reply(thread, render(self.deployment, due))

    def _show_parent(self, message: Message) -> SlackThread:
        """The parent, made or brought up to date; a deleted one is made anew."""
        thread = self.outbox.thread(self.deployment.correlation_id)
        if thread is None:
            return self._post_parent(message)
        if not message.moves_parent:
            return thread
        try:
            self.slack.update(thread, message.parent)
        except SlackMessageGoneError:
            return self._post_parent(message)
        return thread

    def _post_parent(self, message: Message) -> SlackThread:
        thread = self.slack.post(self.channel, message.parent)
        # Before anything else is sent: without it the next delivery would start a second thread.
        self.outbox.save_thread(self.deployment.correlation_id, thread)
        return thread

    def _reply(self, thread: SlackThread, message: Message) -> str | None:
        if message.detail is None:
            return None
        return self.slack.reply(thread, message.detail, broadcast=message.broadcast)
