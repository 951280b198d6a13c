"""`make pictures`: what `make demo` prints on a terminal, into docs/pictures/demo.svg. It needs no browser.

The output is the demo's own, in the colours of a terminal; only its progress bars, which come and go, are left out.
"""

import io
import re
import sys

from rich.console import Console

from deployments.demo.__main__ import show
from tests.unit.notifications.catalogue import PICTURES

_PICTURE = PICTURES / "demo.svg"
_WIDTH = 124
_MOST_BYTES = 200_000
_FONT_OF_ELSEWHERE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""rich has the browser fetch one: a picture in a document fetches nothing."""


def take_picture() -> int:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    exit_code = show(console, has_bars=False)
    picture = _FONT_OF_ELSEWHERE.sub("", console.export_svg(title="make demo"))
    if exit_code or len(picture) > _MOST_BYTES:
        print(f"No picture of this demo: exit code {exit_code}, {len(picture)} bytes.", file=sys.stderr)
        return 1
    _PICTURE.write_text(picture, encoding="utf-8")
    print(f"{_PICTURE.name}: {len(picture) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(take_picture())
