"""`make pictures`: what `make demo` prints on a terminal, into docs/pictures/demo.svg. It needs no browser.

The output is the demo's own, in the colours of a terminal. Left out are its progress bars, which come and go, and the
middle of the timeline, which would make the picture as tall as a page.
"""

import io
import re
import sys

from rich.console import Console
from rich.text import Text

from deployments.demo.__main__ import show
from tests.unit.notifications.catalogue import PICTURES

_PICTURE = PICTURES / "demo.svg"
_WIDTH = 124
_MOST_BYTES = 200_000
_QUEUED = "Your deployment will proceed"
"""The last line before the cut: the second deployment has been told that it waits."""
_TABLE = "Deployment "
_FONT_OF_ELSEWHERE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""rich has the browser fetch one: a picture in a document fetches nothing."""


def take_picture() -> int:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    exit_code = show(console, has_bars=False)
    picture = picture_of(console.export_text(styles=True))
    if exit_code or len(picture) > _MOST_BYTES:
        print(f"No picture of this demo: exit code {exit_code}, {len(picture)} bytes.", file=sys.stderr)
        return 1
    _PICTURE.write_text(picture, encoding="utf-8")
    print(f"{_PICTURE.name}: {len(picture) / 1000:.0f} kB")
    return 0


def picture_of(output: str) -> str:
    """The SVG of a terminal's output, without the middle."""
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    for line in _without_the_middle([Text.from_ansi(line) for line in output.splitlines()]):
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    return _FONT_OF_ELSEWHERE.sub("", console.export_svg(title="make demo"))


def _without_the_middle(lines: list[Text]) -> list[Text]:
    last = next(index for index, line in enumerate(lines) if _QUEUED in line.plain)
    table = next(index for index, line in enumerate(lines) if line.plain.startswith(_TABLE))
    left_out = Text(f"       ... {table - last - 2} lines later ...", "dim italic")
    return [*lines[: last + 1], Text(), left_out, Text(), *lines[table:]]


if __name__ == "__main__":
    sys.exit(take_picture())
