"""Tags: CloudFormation's limits, checked before anything waits."""

import re
from collections.abc import Iterator, Mapping

from interlock.cloudformation.change_set_arguments import CORRELATION_ID_TAG

_MOST = 49
"""AWS takes 50; one is Interlock's own."""
_LONGEST_KEY = 128
_LONGEST_VALUE = 256
_CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")


def problems(tags: Mapping[str, str]) -> Iterator[str]:
    if len(tags) > _MOST:
        yield f"tags: {len(tags)} of them; at most {_MOST} are allowed (AWS takes 50, one is `{CORRELATION_ID_TAG}`)."
    for key, value in tags.items():
        yield from (f"tags/{key[:_LONGEST_KEY]}: {problem}." for problem in _tag_problems(key, value))


def _tag_problems(key: str, value: str) -> Iterator[str]:
    if not 1 <= len(key) <= _LONGEST_KEY:
        yield f"the key must be 1 to {_LONGEST_KEY} characters long"
    if len(value) > _LONGEST_VALUE:
        yield f"the value must be at most {_LONGEST_VALUE} characters long"
    if key.lower().startswith("aws:"):
        yield "the prefix `aws:` is AWS's own"
    if key == CORRELATION_ID_TAG:
        yield "this tag is set by Interlock"
    if not (_CHARACTERS.fullmatch(key) and _CHARACTERS.fullmatch(value)):
        yield "only letters, digits, spaces and _ . : / = + - @ are allowed"
