"""Who is told: an environment's channel, and the people called when its deployment fails."""

from collections.abc import Callable
from typing import NamedTuple


class Audience(NamedTuple):
    channel: str
    mentions: tuple[str, ...] = ()
    """In Slack's own form (`interlock.models.mention`): the only text of a message that is not escaped."""


AudienceOf = Callable[[str], Audience | None]
"""An environment's audience; None where nobody is to be told."""
