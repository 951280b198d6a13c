"""A card: what one message says, before it takes Slack's form or a terminal's.

Its texts are not escaped yet (`blocks` does that), but `clean`: they come through `fields`, `links` and `Facts`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from interlock.notifications.escape import one_line, web_address


class Field(NamedTuple):
    """A labelled value. `code` is for what people copy: ids and names."""

    label: str
    value: str
    code: bool = False


class Link(NamedTuple):
    label: str
    url: str


@dataclass(frozen=True)
class Card:
    """One message, in the order in which somebody reads who was just woken: what, where, why, what to do, the links.

    `subject` stands beside the title where there is a large heading; the plain text has it as a field. `footer` is small
    print. `compact` is for replies in a thread: no large heading.
    """

    emoji: str
    title: str
    subject: str = ""
    fields: tuple[Field, ...] = ()
    body: tuple[Field | str, ...] = ()
    links: tuple[Link, ...] = ()
    footer: tuple[Field, ...] = ()
    mentions: tuple[str, ...] = ()
    """Whom to call, in Slack's own form and not escaped: they come from the environments file (`models.mention`)."""
    compact: bool = False

    @property
    def heading(self) -> str:
        return f"{self.emoji} {self.title}"


def fields(*candidates: tuple[str, str | None] | Field) -> tuple[Field, ...]:
    """The fields that have a value."""
    present = (Field(*candidate) for candidate in candidates if candidate[1])
    return tuple(field._replace(value=one_line(field.value)) for field in present)


def links(**candidates: str | None) -> tuple[Link, ...]:
    """The links whose address is one: `AWS_Console=url` is labelled "AWS Console"."""
    addresses = ((label.replace("_", " "), web_address(url)) for label, url in candidates.items())
    return tuple(Link(label, url) for label, url in addresses if url)
