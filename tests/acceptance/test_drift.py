"""`interlock deploy --show-drift`: what was changed by hand is seen before the changes, and stops nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import ask, chain

ENVIRONMENT = "drifting"
STACK = f"interlock-{ENVIRONMENT}"


def deploy(system: RehearsalSystem, template: Path, text: str) -> tuple[dict[str, Any], str]:
    template.write_text(text, encoding="utf-8")
    options = ["deploy", ENVIRONMENT, "--template", str(template), "--show-drift", "--json"]
    command = [sys.executable, "-m", "interlock.cli", *options]
    done = subprocess.run(command, env=system.environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_what_was_changed_by_hand_is_shown_first_and_the_deployment_goes_on(
    system: RehearsalSystem, tmp_path: Path
) -> None:
    assert ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1)).wait()["state_name"] == "Succeeded"
    changed = {"match": f"{STACK}/R0", "Drift": {"/DelaySeconds": 77, "/KmsMasterSecret": "hunter2"}}
    system.aws.set_rules([changed, {"match": f"{STACK}/R1", "Drift": "DELETED"}])
    outcome, log = deploy(system, tmp_path / "stack.yaml", chain(0.1, 0.1, delay=1))
    assert "Drift: 2 resources differ from the template: R0, R1." in log
    assert "/DelaySeconds: expected 0, is 77" in log
    assert "hunter2" not in log
    assert log.index("Drift:") < log.index("Change set:")
    body = {"artifacts": {"flow_run_id": {"any_": [outcome["flow_run_id"]]}, "key": {"any_": ["interlock-drift"]}}}
    (artifact,) = httpx.post(f"{system.api_url}/artifacts/filter", json=body).raise_for_status().json()
    assert {row["Resource"] for row in json.loads(artifact["data"])} == {"R0", "R1"}
    assert "hunter2" not in artifact["data"]
    events = {event["event"]: event["details"] for event in outcome["record"]["events"]}
    assert events["DRIFT_DETECTED"] == "2 resources differ from the template: R0, R1."


def test_without_the_permission_it_is_a_line_and_the_deployment_goes_on(
    system: RehearsalSystem, tmp_path: Path
) -> None:
    fault = {"service": "cloudformation", "action": "DetectStackDrift", "kind": "error", "status": 403}
    system.aws.set_faults([fault | {"code": "AccessDenied", "message": "User is not authorized"}])
    outcome, log = deploy(system, tmp_path / "stack.yaml", chain(0.1, 0.1, delay=2))
    assert "Drift: Not known: User is not authorized Allow `cloudformation:DetectStackDrift`" in log
    assert outcome["status"] == "SUCCEEDED"
