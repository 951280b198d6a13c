"""`interlock recover` as a person at three in the morning meets it: a deployment fails, its rollback too, then what?"""

import json
import subprocess
import sys
import time

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import ask, chain, start

ENVIRONMENT = "recovering"
STACK = f"interlock-{ENVIRONMENT}"


def recover(system: RehearsalSystem, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "interlock.cli", "recover", ENVIRONMENT, *arguments]
    return subprocess.run(command, env=system.environment(), capture_output=True, text=True, timeout=120, check=False)


def test_a_rollback_that_failed_is_continued_and_the_deployment_that_waited_for_it_goes_on(
    system: RehearsalSystem,
) -> None:
    assert ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1)).wait()["state_name"] == "Succeeded"
    system.aws.set_rules([{"match": f"{STACK}/R1", "Fail": "gone by hand", "On": ["UPDATE", "ROLLBACK"]}])
    failed = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=1))
    assert failed.wait()["state_name"] == "Failed"
    assert f"`interlock recover {ENVIRONMENT}`" in failed.outcome()["next_step"]
    refused = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=2))
    assert refused.wait()["state_name"] == "Failed"
    assert f"`interlock recover {ENVIRONMENT}`" in refused.log()

    shown = recover(system, "--json")
    assert shown.returncode == 5
    told = json.loads(shown.stdout)
    assert [(each["name"], each["reason"]) for each in told["blocking"]] == [("R1", "gone by hand")]

    system.aws.set_rules([{"match": f"{STACK}/R1", "Stall": True, "On": ["ROLLBACK"]}])
    command = [sys.executable, "-m", "interlock.cli", "recover", ENVIRONMENT, "--yes", "--reason", "it is there again"]
    with subprocess.Popen(command, env=system.environment(), stdout=subprocess.PIPE, text=True) as recovering:
        lines = iter(recovering.stdout or ())
        assert any("R1 (AWS::SQS::Queue)  UPDATE_IN_PROGRESS" in line for line in lines)
        waiting = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=3))
        waiting.wait_for_log("Waiting: first in the queue, the environment is still busy")
        system.aws.set_rules([])
        assert "is in UPDATE_ROLLBACK_COMPLETE; deploy again" in list(lines)[-1]
    assert recovering.returncode == 0
    assert waiting.wait()["state_name"] == "Succeeded", waiting.log()

    assert system.registry.holds.current(ENVIRONMENT) is None
    told = told_to_channel(system, until="Recovery ended")
    assert "Recovery started" in told
    assert "it is there again" in told


def told_to_channel(system: RehearsalSystem, *, until: str) -> str:
    """What the channel was told, once that is among it: one message a second is Slack's limit, and the schedule's pace."""
    deadline = time.monotonic() + 90
    while True:
        start(system.api_url, "deliver-messages/scheduled", {}).wait()
        messages = [each["text"] for each in system.slack.messages() if each["channel"].lstrip("#") == ENVIRONMENT]
        if until in (told := "\n".join(messages)):
            return told
        assert time.monotonic() < deadline, told
