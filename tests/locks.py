"""The locks are whole: what `make lint` can say of the dependencies without a network. `python -m tests.locks`

Known vulnerabilities are `make audit`'s business (docs/decisions/0012-the-audit-is-a-target-of-its-own.md).
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
WHOLE, CLIENT = "requirements.lock", "client-requirements.lock"
_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

Pins = Mapping[str, str]


def problems(pyproject: str, whole: str, client: str) -> Iterator[str]:
    """What is wrong with these three files, each with the file's name; nothing if they are as they should be."""
    project = tomllib.loads(pyproject)["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    for name, text in ((WHOLE, whole), (CLIENT, client)):
        yield from (f"{name}: {problem}" for problem in _unpinned(text))
    yield from _not_locked(WHOLE, [*project["dependencies"], *extras], _pins(whole))
    yield from _not_locked(CLIENT, project["dependencies"], _pins(client))
    for package, version in _pins(client).items():
        if _pins(whole).get(package) != version:
            yield f"{CLIENT}: {package} {version} is not what {WHOLE} has, and so not what the tests ran with"


def _entries(text: str) -> list[str]:
    """One requirement each, its continuation lines joined."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def _unpinned(text: str) -> Iterator[str]:
    for entry in _entries(text):
        if not _PIN.match(entry):
            yield f"{entry.split()[0]} is no package pinned to one version"
        elif not _HASH.search(entry):
            yield f"{entry.split()[0]} has no hash"
    if "://" in text:
        yield "an address is in it: which index is asked is the installer's setting"


def _not_locked(name: str, direct: Iterable[str], pins: Pins) -> Iterator[str]:
    for requirement in map(Requirement, direct):
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{name}: {requirement.name} is not in it"
        elif version not in requirement.specifier:
            yield f"{name}: {requirement.name} {version} is not {requirement.specifier}"


def _pins(text: str) -> Pins:
    found = (_PIN.match(entry) for entry in _entries(text))
    return {canonicalize_name(pin[1]): pin[2] for pin in found if pin}


def main() -> int:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", WHOLE, CLIENT)]
    found = list(problems(*texts))
    for problem in found:
        print(f"{problem}. `make lock` renews both locks.", file=sys.stderr)  # noqa: T201 - this is a command
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
