"""The client's commands need no more than the base dependencies: everything else is kept from being imported."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from deployments import ROOT

_ONLY_THE_CLIENT = dedent("""
    import runpy, sys

    class OnlyTheClient:
        def find_spec(self, name, path=None, target=None):
            top = name.partition(".")[0]
            if top != "interlock" and top not in sys.stdlib_module_names and top not in LIBRARIES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    sys.meta_path.insert(0, OnlyTheClient())
    runpy.run_module("interlock.cli", run_name="__main__")
""")


def _locked() -> set[str]:
    names = re.findall(r"^([a-z0-9-]+)==", (ROOT / "client-requirements.lock").read_text(), re.MULTILINE)
    return {name.replace("-", "_") for name in names}


def _client(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    code = f"LIBRARIES = {sorted(_locked())}\n{_ONLY_THE_CLIENT}"
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "INTERLOCK_"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=outside | {"PREFECT_API_URL": "http://127.0.0.1:9/api"} | environ,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("deploy", "staging", "--template", "deployments/demo/service.yaml"),
        ("deploy", "staging", "--template", "deployments/demo/service.yaml", "--json"),
        ("cancel", "20260114-215432-375a1384"),
        ("approve", "20260114-215432-375a1384"),
        ("deny", "20260114-215432-375a1384", "--reason", "no"),
        ("status", "staging", "--prefect"),
    ],
)
def test_the_clients_commands_get_as_far_as_prefects_address(arguments: tuple[str, ...], tmp_path: Path) -> None:
    results = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    done = _client(*arguments, GITHUB_ACTIONS="true", **results)
    assert done.returncode == 7, done.stderr
    assert "Prefect does not answer at http://127.0.0.1:9/api" in done.stderr


@pytest.mark.parametrize("arguments", [("status", "staging"), ("history", "staging"), ("up",), ("demo",)])
def test_the_other_commands_say_what_to_install(arguments: tuple[str, ...]) -> None:
    done = _client(*arguments)
    assert done.returncode == 1
    assert 'pip install "interlock[worker]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_the_clients_lock_is_of_the_base_dependencies_in_the_versions_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {re.split(r"[^\w-]", name)[0] for name in project["dependencies"]} <= _locked()
    everything = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for pin in re.findall(r"^[a-z0-9-]+==[^ \n]+", (ROOT / "client-requirements.lock").read_text(), re.MULTILINE):
        assert re.search(rf"^{re.escape(pin)}\b", everything, re.MULTILINE), f"{pin}: run `make lock`"
