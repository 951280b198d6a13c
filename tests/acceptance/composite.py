"""The steps of action.yml, run as GitHub's runner runs them: inputs as environment variables, files for the results."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from deployments import ROOT

_INPUT = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")
_OUTPUT = re.compile(r"\$\{\{ steps\.([a-z]+)\.outputs\.([a-z-]+) \}\}")
_KEPT = ("PIP_", "SSL_", "LANG", "LC_")
"""Of this machine's environment, so that pip finds its index; and nothing of AWS, Prefect or Interlock."""


@dataclass
class Runner:
    """One job's machine. `temp` is its RUNNER_TEMP, `workspace` the calling repository's checkout."""

    temp: Path
    workspace: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.summary.touch()

    @property
    def summary(self) -> Path:
        return self.temp / "summary.md"

    def run(self, **inputs: str) -> tuple[int, str, dict[str, str]]:
        """The exit code of the last step, the log, and the action's outputs."""
        log, code = "", 0
        written: dict[str, str] = {}
        for step in self.steps(**inputs):
            done = step.communicate(timeout=120)
            code, log = step.returncode, log + "".join(done)
            written |= _parsed(self.output.read_text(encoding="utf-8"))
            if code:
                break
        return code, log, {name: written.get(_source(spec), "") for name, spec in _action()["outputs"].items()}

    def steps(self, **inputs: str) -> "Iterator[subprocess.Popen[str]]":
        """Each step's process, started when it is asked for."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert set(given) <= set(_action()["inputs"])
        for step in _action()["runs"]["steps"]:
            yield self._start(step, given)

    @property
    def output(self) -> Path:
        return self.temp / "output"

    def _start(self, step: Mapping[str, Any], given: Mapping[str, str]) -> "subprocess.Popen[str]":
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression in a script is an injection"
        self.output.write_text("", encoding="utf-8")
        script = self.temp / "step.sh"
        script.write_text(step["run"], encoding="utf-8")
        return subprocess.Popen(
            ["/usr/bin/env", "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace,
            env=self._environ() | {name: _filled(value, given) for name, value in step["env"].items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
        return kept | {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            **self.variables,
        }


def _action() -> Any:
    return yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def _filled(value: str, given: Mapping[str, str]) -> str:
    """With the inputs' values; nothing else may be asked for."""
    known = _action()["inputs"]
    filled = _INPUT.sub(lambda found: given.get(found[1], known[found[1]].get("default", "")), value)
    assert "${{" not in _INPUT.sub("", value)
    return filled


def _source(spec: Mapping[str, str]) -> str:
    found = _OUTPUT.fullmatch(spec["value"])
    assert found
    return found[2]


def _parsed(text: str) -> dict[str, str]:
    """The file of outputs as GitHub's runner reads it."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        found[name] = "\n".join(iter(lambda: next(lines), delimiter))
    return found
