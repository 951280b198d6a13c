"""Where the fuzzing happens: a scratch home, and neither a Prefect server nor AWS that could be reached."""

import importlib
import io
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from interlock import processes, wiring
from interlock.cli.main import main
from interlock.errors import CloudFormationUnavailableError
from interlock.wiring import Installation

ENVIRONMENTS = '[environments.staging]\nstack_name = "app"\nregion = "us-east-1"\n'
_OUTSIDE = ("INTERLOCK_", "PREFECT_", "AWS_", "GITHUB_")
_NOBODY_LISTENS = "http://127.0.0.1:9"
_HARMLESS = "\n\t"


@dataclass(frozen=True)
class Answer:
    """What a command line said, and how it ended."""

    exit_code: int
    out: str
    err: str

    def is_fit_for_a_person(self) -> bool:
        """One paragraph, of the length of one; nothing that a terminal would obey; no bug."""
        said = self.out + self.err
        assert "Traceback" not in said
        assert "This is a bug" not in said
        assert not [char for char in said if not (char.isprintable() or char in _HARMLESS or _is_invisible(char))]
        assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]
        assert len(self.err) < 20_000
        return "\n\n" not in self.err.strip() and (self.exit_code == 0 or bool(said.strip()))


def _is_invisible(char: str) -> bool:
    """Neither shown nor obeyed: spaces of all kinds, joiners, what is not assigned yet."""
    return ord(char) > 0x9F and char not in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class Place:
    """The command line, run in this process; what it would become by `exec` is called instead."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.registry = home / "registry.db"
        self.environments = home / "environments.toml"

    def run(self, *arguments: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        wiring._current.clear()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Answer(code, out.getvalue(), err.getvalue())

    def records(self) -> list[tuple[object, ...]] | None:
        """All that the registry holds; None if there is none."""
        if not self.registry.exists():
            return None
        with closing(sqlite3.connect(self.registry)) as connection:
            return connection.execute("SELECT * FROM items ORDER BY 1, 2").fetchall()

    def forget(self) -> None:
        for path in self.home.glob("registry.db*"):
            path.unlink()


@contextmanager
def place(home: Path) -> Iterator[Place]:
    inner = home / "a" / "b" / "c"  # two directories up is still ours
    inner.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inner)
        for name in [name for name in os.environ if name.startswith(_OUTSIDE)]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("INTERLOCK_HOME", str(home))
        patch.setenv("INTERLOCK_ENVIRONMENTS", str(home / "environments.toml"))
        patch.setenv("PREFECT_API_URL", f"{_NOBODY_LISTENS}/api")
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Resources: {}")))
        patch.setattr(wiring, "_current", [])
        patch.setattr(os, "execv", _become)
        patch.setattr(processes, "start", _must_not_start)
        patch.setattr(Installation, "cloudformation", _no_aws)
        here = Place(home)
        here.environments.write_text(ENVIRONMENTS, encoding="utf-8")
        yield here


def _become(_path: str, argv: Sequence[str]) -> None:
    """As the operating system would, but here."""
    package = f"{argv[2]}.__main__" if argv[2] in _PACKAGES else argv[2]
    module = importlib.import_module(package)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [package, *argv[3:]])
        module.main()


_PACKAGES = ("deployments.demo", "deployments.rehearse", "interlock.rehearsal.aws", "interlock.rehearsal.slack")


def _must_not_start(*_arguments: object, **_options: object) -> NoReturn:
    raise AssertionError("A wrong command line has started a process.")


def _no_aws(*_: object) -> NoReturn:
    raise CloudFormationUnavailableError("CloudFormation does not answer.")
