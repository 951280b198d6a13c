"""A card in the form of Slack's Block Kit, with the plain text that notifications and screen readers use instead.

Slack refuses a message beyond its limits, so everything is cut to them here: 150 characters in a header, 2,000 in a
field, 3,000 in a section, 50 blocks. Sections are `verbatim`: Slack makes no links of its own from words in them.
"""

from pydantic import JsonValue

from interlock.notifications.card import Card, Field, Link
from interlock.notifications.escape import code, escape_within, link

Block = dict[str, JsonValue]

_HEADER_LIMIT = 150
_FIELD_LIMIT = 1900
_FIELDS_IN_A_SECTION = 10
_SECTION_LIMIT = 2900
_BLOCKS_LIMIT = 50
_ELEMENTS_IN_A_CONTEXT = 10
_LINKS_BETWEEN = "  ·  "
_TEXT_LIMIT = 3800


def blocks(card: Card) -> list[Block]:
    """The card's blocks, within Slack's limits whatever the card holds."""
    opening = [*_heading(card), *_calls(card)]
    opening += [] if card.compact else _field_sections(card.fields)
    body = [_section(_paragraph(part)) for part in card.body]
    closing = [*_links(card.links), *_small_print(card.footer)]
    room = _BLOCKS_LIMIT - len(opening) - len(closing)
    return [*opening, *body[:room], *closing]


def fallback_text(card: Card) -> str:
    """The message's `text`: all of the card, escaped, in under 4,000 characters. Notifications show its beginning."""
    return "\n".join([escape_within(plain(card), _TEXT_LIMIT), *filter(None, [" ".join(card.mentions)])])


def plain(card: Card) -> str:
    """The card for a terminal: unescaped."""
    lines = [card.heading, *map(_plain_part, (*card.fields, *card.body))]
    lines += [f"{label}: {url}" for label, url in card.links]
    lines += map(_plain_part, card.footer)
    return "\n".join(lines)


def _plain_part(part: Field | str) -> str:
    return part if isinstance(part, str) else f"{part.label}: {part.value}"


def _header(card: Card) -> Block:
    text = f"{card.heading} · {card.subject}" if card.subject else card.heading
    return {"type": "header", "text": {"type": "plain_text", "text": escape_within(text, _HEADER_LIMIT), "emoji": True}}


def _heading(card: Card) -> list[Block]:
    return [_compact_heading(card) if card.compact else _header(card)]


def _calls(card: Card) -> list[Block]:
    return [_section(" ".join(card.mentions))] if card.mentions else []


def _compact_heading(card: Card) -> Block:
    heading = f"{card.emoji} *{escape_within(card.title, _HEADER_LIMIT)}*"
    lines = [heading, *map(_paragraph, card.fields)]
    while sum(map(len, lines)) + len(lines) > _SECTION_LIMIT:
        lines.pop()
    return _section("\n".join(lines))


def _field_sections(fields: tuple[Field, ...]) -> list[Block]:
    texts: list[JsonValue] = [_mrkdwn(f"*{escape_within(field.label, 100)}*\n{_value(field)}") for field in fields]
    starts = range(0, len(texts), _FIELDS_IN_A_SECTION)
    return [{"type": "section", "fields": texts[start : start + _FIELDS_IN_A_SECTION]} for start in starts]


def _paragraph(part: Field | str) -> str:
    if isinstance(part, str):
        return escape_within(part, _SECTION_LIMIT)
    return f"*{escape_within(part.label, 100)}:* {_value(part)}"


def _value(field: Field) -> str:
    return code(field.value, _FIELD_LIMIT) if field.code else escape_within(field.value, _FIELD_LIMIT)


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _links(links: tuple[Link, ...]) -> list[Block]:
    """In a section, not in small print: they are what is pressed next. Each in one of its own beyond Slack's limit."""
    together = _LINKS_BETWEEN.join(link(url, label) for label, url in links)
    if len(together) > _SECTION_LIMIT:
        return [_section(link(url, label)) for label, url in links]
    return [_section(together)] if links else []


def _small_print(footer: tuple[Field, ...]) -> list[Block]:
    elements: list[JsonValue] = [_mrkdwn(f"{escape_within(field.label, 100)}: {_value(field)}") for field in footer]
    return [{"type": "context", "elements": elements[:_ELEMENTS_IN_A_CONTEXT]}] if elements else []


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
