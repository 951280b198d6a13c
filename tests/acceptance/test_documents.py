"""The commands of the pages, run as a person would run them: in a shell, one after the other, in one directory."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem
from tests.documents import blocks, pages

RUN = [page for page in pages() if any(block.is_run for block in blocks(page))]
TEMPLATE = """\
Parameters: {Version: {Type: String, Default: "1"}}
Resources: {Queue: {Type: AWS::SQS::Queue, Properties: {Tags: [{Key: version, Value: !Ref Version}]}}}
"""
"""What the pages call `template.yaml`, unless they write it themselves."""


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_work_in_their_order(system: RehearsalSystem, page: Path, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    for block in filter(lambda block: block.is_run, blocks(page)):
        if "jq " in block.text and not shutil.which("jq"):
            pytest.skip("This machine has no jq.")
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", block.text],
            env=_environment(system),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{block.where}\n{done.stdout}\n{done.stderr}"


def _environment(system: RehearsalSystem) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    return system.environment() | {"PATH": path, "ENVIRONMENT": "staging", "PIPELINE_ID": "documents"}


def test_the_three_calls_of_the_readme_deploy_and_follow_to_the_end(system: RehearsalSystem) -> None:
    """A caller with `curl` alone."""
    ask_id, ask_run, follow = _calls_of_the_readme()
    values = {"PREFECT_API_URL": system.api_url, "ENVIRONMENT": "staging"}

    deployment = json.loads(_run(ask_id, values))
    run = json.loads(_run(ask_run, values | {"DEPLOYMENT_ID": deployment["id"]}))
    deadline = time.monotonic() + 60
    while (state := json.loads(_run(follow, values | {"FLOW_RUN_ID": run["id"]}))["state"])["type"] != "COMPLETED":
        assert state["type"] in {"SCHEDULED", "PENDING", "RUNNING"}
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert state["name"] == "Succeeded"


def _calls_of_the_readme() -> list[str]:
    (text,) = (block.text for block in blocks(ROOT / "README.md") if block.mark == "three calls")
    calls = re.split(r"^curl ", text, flags=re.MULTILINE)[1:]
    return [f"curl {call.rstrip()}" for call in calls]


def _run(call: str, values: dict[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", call],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", **values},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
