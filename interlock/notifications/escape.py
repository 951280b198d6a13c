"""Text from outside made safe to show. Error texts come from AWS, names from whoever asked: neither may ping a channel,
forge a link, move a terminal's cursor or outgrow Slack's limits.
"""

import re
import unicodedata
from urllib.parse import quote, urlsplit

_CUT = "…"
_INVISIBLE = ("Cc", "Cf", "Cs")
_JOINER = "\N{ZERO WIDTH JOINER}"
_KEPT = "\n\t" + _JOINER
_HALF_ENTITY = re.compile(r"&[a-z]{0,3}$")
_BARE_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}(:\d+)?(/\S*)?")
_URL_LIMIT = 2000
_URL_CHARACTERS = "/:?#[]@!$&'()*+,;=%~-._"


def clean(text: str) -> str:
    """The text without what cannot be seen: control and direction characters (terminal escapes) and broken UTF-16."""
    return "".join(char for char in text if char in _KEPT or unicodedata.category(char) not in _INVISIBLE)


def one_line(text: str) -> str:
    """The text on one line: a value must not look like the next field."""
    return " ".join(clean(text).split())


def escape(text: str) -> str:
    """Slack's three characters: with them `<!channel>`, `<@U1>` and `<http://a|b>` are plain words."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def escape_within(text: str, limit: int) -> str:
    """The escaped text in at most `limit` characters, no entity cut in two (`&am` would be shown as it stands)."""
    escaped = escape(text)
    if len(escaped) <= limit:
        return escaped
    return _HALF_ENTITY.sub("", escaped[: limit - len(_CUT)]) + _CUT


def code(text: str, limit: int) -> str:
    """The text in code style; a backtick inside would end it."""
    return f"`{escape_within(text.replace('`', chr(39)), limit)}`"


def web_address(text: str | None) -> str | None:
    """The text as an address that may be a link, a bare host as http; None for any other scheme (`javascript:`)."""
    candidate = one_line(text or "")
    if _BARE_HOST.fullmatch(candidate):
        candidate = f"http://{candidate}"
    try:
        parts = urlsplit(candidate)
    except ValueError:
        return None
    address = quote(candidate, safe=_URL_CHARACTERS)
    return (
        address if parts.scheme in ("http", "https") and parts.netloc and len(escape(address)) <= _URL_LIMIT else None
    )


def link(url: str, label: str) -> str:
    """A link in Slack's form; the address comes from `web_address`, so it holds neither `|` nor `>`."""
    return f"<{escape(url)}|{escape(label)}>"
