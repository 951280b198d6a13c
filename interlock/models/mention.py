"""Whom Slack is to call: written in the environments file, checked there."""

import re
from typing import Annotated

from pydantic import AfterValidator

_MEMBER = re.compile(r"<?@([UW][A-Z0-9]{5,20})>?")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]{5,20})>")


def mention(text: str) -> str:
    """The mention in Slack's own form: `@U012ABCDEF` (a member's id) or `<!subteam^S012ABCDEF>` (a user group's).

    Raises:
        ValueError: it is neither. Slack knows no one by a name such as `@ada`, and `@channel` would wake everybody.
    """
    if member := _MEMBER.fullmatch(text):
        return f"<@{member[1]}>"
    if _GROUP.fullmatch(text):
        return text
    raise ValueError(
        f"{text!r} is neither a member's id (`@U012ABCDEF`: their profile, Copy member ID) nor a user group's "
        "(`<!subteam^S012ABCDEF>`)"
    )


Mention = Annotated[str, AfterValidator(mention)]
