"""The reasons that people give for what others will ask about."""

from typing import Any

from interlock.errors import InvalidRequestError
from interlock.models.lock import LONGEST_REASON


def stated(reason: str | None, what: str, **about: Any) -> str:
    """The reason, trimmed. `what` names it in the error.

    Raises:
        InvalidRequestError: there is none, or it is too long for a message.
    """
    text = (reason or "").strip()
    if not text:
        raise InvalidRequestError([f"{what}: a reason is needed, for those who will ask"], **about)
    if len(text) > LONGEST_REASON:
        raise InvalidRequestError([f"{what}: at most {LONGEST_REASON} characters, these are {len(text)}"], **about)
    return text
