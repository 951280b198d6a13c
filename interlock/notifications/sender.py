"""One outbox row as calls to Slack, each step stored before the next is taken."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from interlock.errors import SlackRefusedError, SlackUnavailableError
from interlock.models.deployment import Deployment
from interlock.models.notice import DeliveryState, OutboxRow, SlackThread
from interlock.notifications.announcements import Announcement
from interlock.notifications.audience import Audience
from interlock.notifications.headlines import moves_parent
from interlock.notifications.messages import Message, render
from interlock.notifications.outage import summary
from interlock.notifications.pace import PostponedError
from interlock.notifications.ports import Outbox, SlackApi
from interlock.notifications.slack import SlackMessageGoneError


@dataclass
class Sender:
    """Sends the rows of one deployment or announcement: the parent, then the reply, then, after an outage, its summary."""

    outbox: Outbox
    slack: SlackApi
    about: Deployment | Announcement
    audience: Audience

    def announce(self, row: OutboxRow, rows: Sequence[OutboxRow]) -> OutboxRow:
        """The row with Slack's id of what it became. `rows`: all of the deployment's, as they stand.

        Raises:
            SlackUnavailableError: not sent, or not known to be; try again later.
            SlackRefusedError: never to be sent.
            PostponedError: not tried; it is not our turn.
        """
        message = render(self.about, row.notice, self.audience.mentions)
        thread, message = self._show_parent(message, is_stale=_parent_moves_on(row, rows))
        return row.model_copy(update={"slack_ts": self._reply(thread, message) or thread.parent_ts})

    def sum_up(self, row: OutboxRow, rows: Sequence[OutboxRow], now: datetime) -> None:
        """Says what an outage delayed, if `row`, which is sent, was the last of it. Raises as `announce`."""
        if isinstance(self.about, Announcement):
            return  # it says itself since when it is true
        due = summary(rows, row, now)
        thread = self.outbox.thread(row.correlation_id)
        if due is not None and thread is not None:
            self._reply(thread, render(self.about, due))

    def _show_parent(self, message: Message, *, is_stale: bool) -> tuple[SlackThread, Message]:
        """The parent, made or brought up to date, and what is left to say. A deleted one is made anew."""
        thread = self.outbox.thread(self.about.correlation_id)
        if thread is None:
            return self._post_parent(message)
        if message.moves_parent and not is_stale:
            try:
                self.slack.update(thread, message.parent)
            except SlackMessageGoneError:
                return self._post_parent(message)
        return thread, message

    def _post_parent(self, message: Message) -> tuple[SlackThread, Message]:
        """A new message notifies those it mentions, so the reply need not call them again."""
        thread = self.slack.post(self.audience.channel, message.parent)
        # Before anything else is sent: without it the next delivery would start a second thread.
        self.outbox.save_thread(self.about.correlation_id, thread)
        self._link(thread)
        return thread, replace(message, detail=message.detail and replace(message.detail, mentions=()))

    def _link(self, thread: SlackThread) -> None:
        """For people's pages. They can do without: nothing is said of a link that could not be had."""
        with suppress(SlackUnavailableError, SlackRefusedError, PostponedError):
            self.outbox.save_thread(
                self.about.correlation_id, thread.model_copy(update={"url": self.slack.link(thread)})
            )

    def _reply(self, thread: SlackThread, message: Message) -> str | None:
        if message.detail is None:
            return None
        try:
            return self.slack.reply(thread, message.detail, broadcast=message.broadcast)
        except SlackMessageGoneError:  # its parent was deleted, and this row had no edit to find that out
            thread, message = self._post_parent(message)
        return self.slack.reply(thread, message.detail, broadcast=message.broadcast) if message.detail else None


def _parent_moves_on(row: OutboxRow, rows: Sequence[OutboxRow]) -> bool:
    """Whether a row that waits behind this one will edit the parent: then this one need not."""
    later = [each for each in rows if each.sequence > row.sequence and each.state is DeliveryState.WAITING]
    return any(moves_parent(each.notice.kind) and _will_be_sent(each, rows) for each in later)


def _will_be_sent(row: OutboxRow, rows: Sequence[OutboxRow]) -> bool:
    return not row.notice.kind.is_ephemeral or row.sequence == rows[-1].sequence
