"""What is said of an environment and not of a deployment: a message of its own, made from its notice's facts alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from interlock.models.notice import Notice, NoticeKind, OutboxRow
from interlock.notifications.card import Card, fields
from interlock.notifications.details import body_of
from interlock.notifications.escape import one_line
from interlock.notifications.facts import Facts
from interlock.notifications.headlines import HEADLINES


@dataclass(frozen=True)
class Announcement:
    """What its rows are about. `correlation_id`: what they are filed under, no deployment's."""

    environment: str
    correlation_id: str


def announcement_of(rows: Sequence[OutboxRow]) -> Announcement | None:
    """None for rows of a deployment."""
    first = next(iter(rows), None)
    if first is None or not first.notice.kind.is_announcement:
        return None
    return Announcement(Facts(first.notice.facts).text("environment"), first.correlation_id)


def announce(about: Announcement, notice: Notice) -> tuple[Card, Card | None]:
    """The message in the channel, and the reply that is shown there too: an edit notifies nobody."""
    heading = HEADLINES[notice.kind]
    card = Card(
        heading.emoji,
        heading.parent,
        subject=one_line(about.environment),
        fields=fields(("Environment", about.environment), ("Status", heading.status)),
        body=body_of(notice, about),
    )
    is_news = notice.kind is NoticeKind.UNLOCKED  # the others are the message itself
    return card, Card(
        heading.emoji, heading.detail, fields=card.fields, body=card.body, compact=True
    ) if is_news else None
