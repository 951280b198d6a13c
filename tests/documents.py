"""The pages that people read, as the tests see them: fenced blocks, what is said of running them, links, commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from deployments import ROOT

_BLOCK = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<mark>[^\n]*?) -->\n(?P=indent))?```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NOT_RUN = "not run: "
_ENDS = re.compile(r"[|;&()<>]+")
_OURS = ("interlock", ".venv/bin/interlock")
_COMMAND_LANGUAGES = ("sh", "yaml", "groovy")


@dataclass(frozen=True)
class Block:
    """A fenced block, and the comment right above it that says why it is not run, or who runs it."""

    page: Path
    line: int
    language: str
    mark: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_run(self) -> bool:
        return self.language == "sh" and not self.mark

    @property
    def reason(self) -> str:
        """Why it is not run."""
        return self.mark.removeprefix(_NOT_RUN) if self.mark.startswith(_NOT_RUN) else ""

    def commands(self) -> Iterator[list[str]]:
        """The `interlock ...` in it, as the words that click would get. What may be left out is there."""
        if self.language in _COMMAND_LANGUAGES:
            for line in self.text.replace("\\\\\n", " ").replace("\\\n", " ").splitlines():
                yield from _commands(re.sub(r"\[(-[^\]]*)\]", r"\1", line))


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page, text[: found.start("text")].count("\n"), found["language"], found["mark"] or "", dedent(found["text"])
        )
        for found in _BLOCK.finditer(text)
    ]


def spans(page: Path) -> Iterator[list[str]]:
    """`interlock ...` within a sentence: a command, or the beginning of one."""
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    for found in filter(_begins_with_ours, _SPAN.finditer(prose)):
        yield from _commands(re.sub(r"[\[\]]", "", found[1]))


def _begins_with_ours(span: re.Match[str]) -> bool:
    return span[1].startswith("interlock ")


def _commands(line: str) -> Iterator[list[str]]:
    words = iter(_words(line))
    for word in words:
        if word in _OURS:
            yield list(_until_the_end(words))


def _until_the_end(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if _ENDS.fullmatch(word):
            return
        yield word


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return []  # half a quotation: a line of prose
