"""A caller with `curl` alone: the three calls that the README shows, as it shows them."""

import json
import re
import subprocess
import time

from deployments import ROOT
from deployments.rehearsal_system import RehearsalSystem


def test_the_three_calls_of_the_readme_deploy_and_follow_to_the_end(system: RehearsalSystem) -> None:
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
    block = re.search(r"<!-- three calls -->\n```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block, "the README shows the three calls"
    calls = re.split(r"^curl ", block.group(1), flags=re.MULTILINE)[1:]
    return [f"curl {call.rstrip()}" for call in calls]


def _run(call: str, values: dict[str, str]) -> str:
    """As a person would: in a shell, with the variables set."""
    done = subprocess.run(
        ["/bin/sh", "-c", call],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", **values},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
