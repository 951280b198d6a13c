"""An environment of two stacks: one deployment, in order, whatever dies."""

import pytest

from deployments.rehearsal_system import RehearsalSystem
from interlock.models.deployment import Deployment, DeploymentStatus
from tests.acceptance.asking import Asked, ask, chain
from tests.acceptance.engines import kill_engine

ENVIRONMENT = "several"
NETWORK, APP = "interlock-several-network", "interlock-several"


def deploy(system: RehearsalSystem, delay: int, *, network_seconds: float = 0.1) -> Asked:
    app = f"{chain(0.1, delay=delay)}\nOutputs: {{ApplicationUrl: {{Value: 'http://several.example'}}}}\n"
    network = f"{chain(network_seconds, delay=delay)}\nOutputs: {{Vpc: {{Value: vpc-{delay}}}}}\n"
    return ask(system.api_url, ENVIRONMENT, app, templates={NETWORK: network})


def record_of(system: RehearsalSystem, asked: Asked) -> Deployment:
    return system.registry.deployments.get(asked.correlation_id())


def executed(system: RehearsalSystem, asked: Asked) -> list[str]:
    """The stacks that were changed, in AWS's own words and order."""
    token = asked.correlation_id()
    mine = [each for each in system.aws.operations() if each["token"] == token]
    return [each["stack"] for each in sorted(mine, key=lambda each: float(each["started"]))]


@pytest.fixture(autouse=True)
def _no_rules(system: RehearsalSystem) -> None:
    system.aws.set_rules([])


def test_both_are_deployed_in_order_as_one_deployment_with_the_outputs_of_both(system: RehearsalSystem) -> None:
    asked = deploy(system, 1)
    assert asked.wait()["state_name"] == "Succeeded"
    outcome = asked.outcome()
    assert outcome["outputs"] == {"Vpc": "vpc-1", "ApplicationUrl": "http://several.example"}
    assert outcome["application_url"] == "http://several.example"
    events = [event.event for event in record_of(system, asked).events]
    assert events.index("STACK_DEPLOYED") > events.index("DEPLOYMENT_STARTED")
    assert events.count("DEPLOYMENT_STARTED") == 2
    assert executed(system, asked) == [NETWORK, APP]


def test_the_same_again_is_no_changes(system: RehearsalSystem) -> None:
    assert deploy(system, 1).wait()["state_name"] == "No Changes"


def test_when_the_first_one_fails_the_second_is_not_touched_and_the_reason_says_so(system: RehearsalSystem) -> None:
    system.aws.set_rules([{"match": f"{NETWORK}/R0", "Seconds": 0.2, "Fail": "Limit exceeded"}])
    asked = deploy(system, 2)
    assert asked.wait()["state_name"] == "Rolled Back"
    assert executed(system, asked) == [NETWORK]
    reason = asked.outcome()["reason"]
    assert reason.startswith(f"{NETWORK}: ")
    assert reason.endswith(f"Not deployed: {APP}.")


def test_promise_9_an_engine_killed_in_the_first_one_is_adopted_and_the_second_is_deployed(
    system: RehearsalSystem,
) -> None:
    asked = deploy(system, 3, network_seconds=8)
    asked.wait_for_log("CloudFormation is carrying out")
    kill_engine(asked.flow_run_id)
    asked.wait_for_state("Succeeded")
    assert executed(system, asked) == [NETWORK, APP]
    assert record_of(system, asked).status is DeploymentStatus.SUCCEEDED


def test_every_problem_of_both_is_told_before_anything_is_touched(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, "Resources: []", templates={"another": chain(0.1)})
    assert asked.wait()["state_name"] == "Invalid"
    assert len(asked.outcome()["problems"]) >= 3
