"""The secret values that this process has learnt, and the one way to take them out of what it tells.

Text comes in with secrets in it (CloudFormation quotes a parameter's value in a reason, a linter a default), so it is
redacted where it comes in (`cloudformation.gateway`) and again where it goes out (records, notices, artifacts, states,
log lines). A value is learnt before it is passed to anybody who could quote it.
"""

import base64
import html
import json
import threading
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pydantic import JsonValue

MASK = "****"
SHORTEST = 4
"""Shorter values are not looked for in text: "a" or "80" is in every line, and a line of masks tells that it was there."""

_NOT_LOOKED_FOR = frozenset({"true", "false"})
"""A switch named like a secret (`UseSecretStore`) has no secret value; masking the word would hide half of a log."""
_SHORTEST_PART = 8


class Redactor:
    """Knows values and takes them out of text. Safe for threads; it never forgets: nobody can tell when it would be safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()

    def learn(self, values: Iterable[str]) -> None:
        """Hide these values from now on, in every form that they are usually written in."""
        new = {value for whole in values for value in _worth_hiding(whole)}
        with self._lock:
            self._values |= new
            forms = {form for value in self._values for form in _forms(value)}
            # The longest first: of two secrets of which one begins with the other, no end may be left over.
            self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def redact(self, text: str) -> str:
        """The text with `****` for every value known. Again changes nothing.

        Taking one out may join its neighbours to another one, so it is looked at until nothing is found.
        """
        forms = self._forms
        while (clean := _without(text, forms)) != text:
            text = clean
        return text

    def redact_json(self, value: JsonValue) -> JsonValue:
        """The same for every text in a document; keys are names, and stay."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, list):
            return [self.redact_json(each) for each in value]
        if isinstance(value, dict):
            return {key: self.redact_json(each) for key, each in value.items()}
        return value


def _without(text: str, forms: tuple[str, ...]) -> str:
    for form in forms:
        if form in text:
            text = text.replace(form, MASK)
    return text


def _worth_hiding(value: str) -> Iterator[str]:
    """The value, and what may be quoted of it alone: a line of a key, a member of a JSON document."""
    for part in (value, value.strip()):
        if _can_be_hidden(part):
            yield part
    lines = value.splitlines()
    for part in (*(lines if len(lines) > 1 else ()), *_leaves(_document(value))):
        if len(part.strip()) >= _SHORTEST_PART and _can_be_hidden(part.strip()):
            yield part.strip()


def _can_be_hidden(value: str) -> bool:
    return len(value) >= SHORTEST and value.lower() not in _NOT_LOOKED_FOR and set(value) != {MASK[0]}


def _document(value: str) -> JsonValue:
    if not value.lstrip().startswith(("{", "[")):
        return None
    try:
        document: JsonValue = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return document


def _leaves(document: JsonValue) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, list | dict):
        for each in document.values() if isinstance(document, dict) else document:
            yield from _leaves(each)


def _forms(value: str) -> Iterator[str]:
    """As it is, and as JSON, Python, addresses, HTML (Slack) and base64 write it."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield repr(value)[1:-1]
    encodable = value.encode(errors="surrogatepass")
    yield quote(encodable, safe="")
    yield quote(encodable)
    yield quote_plus(encodable)
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield base64.b64encode(encodable).decode().rstrip("=")
    yield base64.urlsafe_b64encode(encodable).decode().rstrip("=")
