"""Values as they may stand in a TOML file, as its text: of every type, of every size, and what only looks like one."""

import json
import math
from typing import Any

from hypothesis import strategies as st

from tests.unit.fuzz.words import hostile

_DATES = ("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z")
_BROKEN = ("9" * 5000, "[" * 3000, "{" * 3000, "'", '"""', "truth", "", "= 1", "\udcff", "\x00")

numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 10**400, 1e308, math.nan, math.inf])
_scalars = hostile | numbers | st.booleans()
values: st.SearchStrategy[Any] = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3), max_leaves=6
)
"""What TOML can express, as Python has it."""


def text(value: Any) -> str:
    """JSON is TOML, but for objects, special numbers and DEL."""
    match value:
        case list():
            return "[" + ", ".join(map(text, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{text(key)} = {text(each)}" for key, each in value.items()) + "}"
        case float() if not math.isfinite(value):
            return "nan" if math.isnan(value) else f"{'-' if value < 0 else ''}inf"
        case _:
            plain = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
            return plain.replace("\x7f", "\\u007f")


texts = st.one_of(values.map(text), st.sampled_from(_DATES + _BROKEN))
