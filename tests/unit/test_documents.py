"""The pages keep up with the code: links, commands, promises, exit codes, messages. tests/acceptance runs the commands."""

import contextlib
import importlib
import io
import re
import sys
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

from deployments import ROOT
from interlock.cli.main import interlock
from interlock.errors import ExitCode
from interlock.models.environment import Environment
from interlock.models.notice import NoticeKind
from interlock.settings import Settings
from tests.documents import Block, blocks, pages, spans

BLOCKS = [block for page in pages() for block in blocks(page)]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_ANCHOR_DROPS = re.compile(r"[^\w\- ]")
_NO_OPTION = "-"


def each_page() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))


@each_page()
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_shell_block_is_run_or_says_why_it_is_not() -> None:
    """Nothing is left out by forgetting it: a block without a mark is run by tests/acceptance/test_documents.py."""
    shells = [block for block in BLOCKS if block.language in ("sh", "bash", "shell", "console")]
    assert len(shells) > 10
    assert [block.where for block in shells if block.language != "sh"] == []
    assert [block.where for block in shells if not (block.is_run or block.reason or block.mark == "three calls")] == []


@pytest.mark.parametrize("block", [block for block in BLOCKS if list(block.commands())], ids=lambda block: block.where)
def test_every_command_in_a_block_is_one_that_the_command_line_takes(block: Block) -> None:
    for words in block.commands():
        _parse(words)


@each_page()
def test_every_command_in_a_sentence_exists_with_its_options(page: Path) -> None:
    for words in spans(page):
        command, rest = _found(words)
        unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in _options(command)]
        assert not unknown, words


def test_the_aws_commands_name_templates_and_parameters_that_exist() -> None:
    found = [
        text for block in BLOCKS for text in re.findall(r"aws cloudformation deploy(.*?)\n(?! )", block.text, re.DOTALL)
    ]
    assert found
    for text in found:
        template = (ROOT / re.findall(r"--template-file (\S+)", text)[0]).read_text(encoding="utf-8")
        whole = yaml.load(template, Loader=yaml.BaseLoader)  # noqa: S506 - it makes texts, lists and tables alone
        declared = whole.get("Parameters", {})
        given = re.findall(r"\b([A-Z]\w+)=", text)
        assert set(given) <= set(declared)
        assert {name for name, each in declared.items() if "Default" not in each} <= set(given)


@pytest.mark.parametrize("number", range(1, 11))
def test_every_promise_is_listed_with_a_test_that_is_named_after_it(number: int) -> None:
    row = re.search(rf"^\| {number} \|.*$", PROMISES, re.MULTILINE)
    assert row
    linked = [ROOT / "docs" / link for link in _LINK.findall(row[0])]
    named = [path for path in linked if f"promise_{number}_" in path.name + path.read_text(encoding="utf-8")]
    assert named


def test_the_operations_guide_treats_every_exit_code_message_key_and_setting() -> None:
    codes, messages = (
        _section(title) for title in ("Every exit code, and what to do", "Every message, and what to do")
    )
    assert [code for code in ExitCode if not re.search(rf"^\| {code.value} \| .+ \| .+ \|$", codes, re.MULTILINE)] == []
    assert [
        kind for kind in NoticeKind if not re.search(rf"^\| `{kind}` \| .+ \| .+ \|$", messages, re.MULTILINE)
    ] == []
    assert [key for key in Environment.model_fields if key != "name" and f"`{key}`" not in OPERATIONS] == []
    assert [key for key in Settings.model_fields if f"`INTERLOCK_{key.upper()}`" not in OPERATIONS] == []


def test_the_help_alone_tells_every_exit_code() -> None:
    text = interlock.get_help(click.Context(interlock, info_name="interlock"))
    assert [code for code in ExitCode if f"\n    {code.value}  " not in text] == []


def _section(title: str) -> str:
    return OPERATIONS.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.suffix == ".md" else []
    return {_ANCHOR_DROPS.sub("", heading.lower()).replace(" ", "-") for heading in headings}


def _found(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words begin with, and the rest of them."""
    command: click.Command = interlock
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith(_NO_OPTION):
        name = rest.pop(0)
        if name == "COMMAND" or not name.isidentifier():
            break
        found = command.get_command(click.Context(command), name)
        assert found is not None, words
        command = found
    return command, rest


def _parse(words: list[str]) -> None:
    command, rest = _found(words)
    if _is_handed_over(command):
        assert {word for word in rest if word.startswith("--")} <= _options(command), words
    elif not isinstance(command, click.Group):
        command.make_context(command.name, list(rest))


def _is_handed_over(command: click.Command) -> bool:
    return bool(command.context_settings.get("ignore_unknown_options"))


@cache
def _options(command: click.Command) -> frozenset[str]:
    if not _is_handed_over(command):
        return frozenset(name for each in command.params for name in (*each.opts, *each.secondary_opts)) | {"--help"}
    return frozenset(re.findall(r"--[a-z][a-z-]+", _help_of_the_module(command)))


def _help_of_the_module(command: click.Command) -> str:
    """What the process that the command becomes says of itself."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        patch.setattr("os.execv", lambda _path, argv: _become(patch, argv[2:]))
        command.main(["--help"], standalone_mode=False)
    return said.getvalue()


def _become(patch: pytest.MonkeyPatch, argv: list[str]) -> None:
    module = argv[0] if (ROOT / (argv[0].replace(".", "/") + ".py")).exists() else f"{argv[0]}.__main__"
    patch.setattr(sys, "argv", argv)
    importlib.import_module(module).main()
