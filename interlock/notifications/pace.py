"""Slack at the pace that it allows, kept by everybody who delivers: one message a second in a channel, and silence for as
long as it asked for (Retry-After).

Both are leases in the registry, so the threads of a run, the runs, and the schedule on another machine keep them together.
Slack does not say whether a 429 is about a channel, a method or the workspace, so all of them fall silent. Edits take no
turn (Slack's limit is on new messages), but there are few: a row edits the parent only when no later one will.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from interlock.errors import SlackUnavailableError, TemporaryError
from interlock.models.notice import SlackThread
from interlock.notifications.card import Card
from interlock.notifications.claim import Claim
from interlock.notifications.ports import Leases, SlackApi

_BETWEEN_MESSAGES_SECONDS = 1.0
"""Slack's rule for chat.postMessage: one a second in a channel."""
_TURN_SECONDS = 10
"""A turn during its call: longer than the call's time-out. A deliverer that dies in it holds the channel up for as long."""
_LOOK_AGAIN_SECONDS = 0.05
_LONGEST_SILENCE_SECONDS = 600
_SHORT_SILENCE_SECONDS = 5
"""Waited out, where there is patience; a longer one would cost the claim."""
_SILENCE = "slack-silence"


class PostponedError(TemporaryError):
    """Not sent, and not tried: it is not our turn. `retry_after_seconds`: how long Slack still wants to hear nothing."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass
class Patience:
    """How many seconds a delivery may spend waiting for its turn, all in all. What is left then, a later one sends."""

    seconds: float
    sleep: Callable[[float], None] = time.sleep

    def wait(self, seconds: float) -> bool:
        """Waits; False, and not waited, if that is longer than there is patience for."""
        if seconds > self.seconds:
            return False
        self.seconds -= seconds
        self.sleep(seconds)
        return True


@dataclass
class PacedSlack:
    """Stands before Slack (`ports.SlackApi`) for one delivery to one channel. Every method may raise PostponedError."""

    slack: SlackApi
    leases: Leases
    claim: Claim
    patience: Patience
    channel: str

    def post(self, channel: str, card: Card) -> SlackThread:
        with self._turn(), self._listening():
            return self.slack.post(channel, card)

    def reply(self, thread: SlackThread, card: Card, *, broadcast: bool = False) -> str:
        with self._turn(), self._listening():
            return self.slack.reply(thread, card, broadcast=broadcast)

    def link(self, thread: SlackThread) -> str:
        self._insist()
        with self._listening():
            return self.slack.link(thread)

    def update(self, thread: SlackThread, card: Card) -> None:
        self._insist()
        with self._listening():
            self.slack.update(thread, card)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The channel is ours for the call, and nobody's for a second after its answer."""
        name, owner = f"slack-channel:{self.channel.removeprefix('#')}", secrets.token_hex(8)
        self._insist()
        while not self.leases.acquire(name, owner, lifetime_seconds=_TURN_SECONDS):
            self._wait(self.leases.remaining_seconds(name))
            self._insist()
        try:
            yield
        finally:
            self.leases.acquire(name, owner, lifetime_seconds=_BETWEEN_MESSAGES_SECONDS)

    def _wait(self, remaining_seconds: float) -> None:
        seconds = min(max(remaining_seconds, _LOOK_AGAIN_SECONDS), _BETWEEN_MESSAGES_SECONDS)
        if not self.patience.wait(seconds):
            raise PostponedError(f"{self.channel} is busy: one message a second.")

    def _insist(self) -> None:
        silence = self.leases.remaining_seconds(_SILENCE)
        if silence > 0 and not (silence <= _SHORT_SILENCE_SECONDS and self.patience.wait(silence)):
            raise PostponedError(f"Slack asked us to wait: {silence:.0f} s are left.", retry_after_seconds=silence)
        if not self.claim.is_ours():
            raise PostponedError("Another deliverer has taken over.")

    @contextmanager
    def _listening(self) -> Iterator[None]:
        try:
            yield
        except SlackUnavailableError as error:
            if error.retry_after_seconds:
                seconds = min(error.retry_after_seconds, _LONGEST_SILENCE_SECONDS)
                self.leases.acquire(_SILENCE, "slack", lifetime_seconds=seconds)
            raise
