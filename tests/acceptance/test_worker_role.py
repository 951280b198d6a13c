"""The worker's role allows what deployments were seen to call, and nothing beyond it."""

import subprocess
import sys
import time
from typing import Any

import boto3

from deployments.rehearsal_system import TEMPLATE_BUCKET, RehearsalSystem
from tests.acceptance.asking import ask, chain
from tests.roles import actions

ENVIRONMENT = "role"
STACK = f"interlock-{ENVIRONMENT}"
LONG = "# " + "x" * 52_000 + "\n"
"""Too long for a call to CloudFormation: such a template goes by the bucket."""
OBJECT_ACTIONS = {"PUT": "s3:PutObject", "GET": "s3:GetObject"}


def test_all_that_deployments_call_is_allowed_and_all_that_is_allowed_is_called(system: RehearsalSystem) -> None:
    _leave_a_stack_in_review(system)
    began_at = time.time()
    system.aws.set_rules([{"match": f"{STACK}/R1", "Seconds": 0.1, "Fail": "No"}])
    assert ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1)).wait()["state_name"] == "Rolled Back"
    system.aws.set_rules([{"match": f"{STACK}/R1", "Seconds": 15, "On": ["UPDATE"]}])
    recreated = ask(system.api_url, ENVIRONMENT, LONG + chain(0.1, 0.1))
    assert recreated.wait()["state_name"] == "Succeeded", recreated.log()
    cancelled = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=9))
    cancelled.wait_for_log("CloudFormation is carrying out")
    cancelled.cancel()
    assert cancelled.wait()["state_name"] == "Cancelled"
    system.aws.set_rules([])
    uploaded = recreated.outcome()["record"]["template_sha256"]
    unchanged = ask(system.api_url, ENVIRONMENT, f"s3://{TEMPLATE_BUCKET}/{uploaded}.yaml")
    assert unchanged.wait()["state_name"] == "No Changes", unchanged.log()
    system.aws.set_rules([{"match": f"{STACK}/R0", "Drift": {"/DelaySeconds": 7}}])
    drifted = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=2), show_drift=True)
    assert drifted.wait()["state_name"] == "Succeeded", drifted.log()
    _get_stuck_and_recover(system)

    called = [
        call for call in system.aws.log() if call["t"] >= began_at and "interlock-doctor" not in call["user_agent"]
    ]
    assert {f"cloudformation:{call['action']}" for call in called if _is_ours(call)} == actions(
        "worker-role.yaml", "Stacks", "Validation", "Drift", "DriftDetection"
    )
    methods = [call["action"].partition(" ")[0] for call in called if call["service"] == "s3"]
    assert {OBJECT_ACTIONS[method] for method in methods} == actions("worker-role.yaml", "Templates")
    # Deployments of other tests may still be looked after: what they call is not asked for here, but must be allowed.
    others = {
        f"{call['service']}:{call['action']}" for call in called if call["service"] not in ("cloudformation", "s3")
    }
    assert others <= actions("worker-role.yaml", "Secrets", "Parameters", "Log", "Diagnosis")


def test_people_who_look_need_no_more_than_the_read_only_role(system: RehearsalSystem) -> None:
    began_at = time.time()
    subprocess.run(
        [sys.executable, "-m", "interlock.cli", "status", ENVIRONMENT],
        env=system.environment(),
        capture_output=True,
        check=True,
    )
    called = {
        f"cloudformation:{call['action']}"
        for call in system.aws.log()
        if call["t"] >= began_at and call["stack"] == STACK
    }
    assert called == actions("read-only-role.yaml", "Stacks")


def _get_stuck_and_recover(system: RehearsalSystem) -> None:
    system.aws.set_rules([{"match": f"{STACK}/R1", "Fail": "stuck", "On": ["UPDATE", "ROLLBACK"]}])
    assert ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=5)).wait()["state_name"] == "Failed"
    system.aws.set_rules([])
    command = [sys.executable, "-m", "interlock.cli", "recover", ENVIRONMENT, "--yes"]
    subprocess.run(command, env=system.environment(), capture_output=True, check=True)


def _is_ours(call: dict[str, Any]) -> bool:
    return call["service"] == "cloudformation" and call["stack"] in (STACK, None)


def _leave_a_stack_in_review(system: RehearsalSystem) -> None:
    """As an earlier deployment does whose change set could not be made."""
    aws = system.aws.environment()
    client = boto3.client(
        "cloudformation",
        endpoint_url=system.aws.url,
        region_name="us-east-1",
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=aws["AWS_SESSION_TOKEN"],
    )
    client.create_change_set(
        StackName=STACK, ChangeSetName="interlock-left-behind", ChangeSetType="CREATE", TemplateBody=chain(0.1)
    )
