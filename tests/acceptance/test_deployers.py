"""The real tools of others under Interlock: `aws cloudformation deploy`, `sam deploy`, `cdk deploy`."""

import time
from collections.abc import Iterator

import pytest

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import Asked, ask
from tests.acceptance.tools import TOOLS, found

QUEUE = "R0: {Type: AWS::SQS::Queue, Properties: {DelaySeconds: !Ref Delay}}"
TEMPLATE = f"Parameters: {{Delay: {{Type: Number, Default: 1}}}}\nResources:\n  {QUEUE}\n"
SAM = f"Transform: AWS::Serverless-2016-10-31\n{TEMPLATE}"


@pytest.fixture(autouse=True)
def no_rules(system: RehearsalSystem) -> Iterator[None]:
    yield
    system.aws.set_rules([])


def deploy(system: RehearsalSystem, environment: str) -> Asked:
    """As each tool wants it: cdk has its template already."""
    if environment == "with-cdk":
        return ask(system.api_url, environment, "", git_sha="1a2b3c4")
    template = SAM if environment == "with-sam" else TEMPLATE
    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    return ask(system.api_url, environment, template, parameters={"Delay": "2"}, capabilities=capabilities)


@pytest.mark.parametrize("environment", TOOLS)
def test_a_tool_fails_creates_and_finds_nothing_to_change(system: RehearsalSystem, environment: str) -> None:
    if not found(TOOLS[environment]):
        pytest.skip(f"{TOOLS[environment]} is not on this machine (PATH, INTERLOCK_TEST_TOOLS)")
    system.aws.set_rules([{"match": f"interlock-{environment}/R0", "Fail": "Resource limit exceeded"}])
    failed = deploy(system, environment)
    assert failed.wait()["state_name"] == "Rolled Back", failed.log()
    assert failed.outcome()["first_cause"]["reason"] == "Resource limit exceeded"
    system.aws.set_rules([])
    created = deploy(system, environment)  # the stack that was never created is removed before
    assert created.wait()["state_name"] == "Succeeded", created.log()
    assert "R0 (AWS::SQS::Queue) CREATE_COMPLETE" in created.log()
    again = deploy(system, environment)
    assert again.wait()["state_name"] == "No Changes", again.log()
    _nothing_is_left(system, environment)


def _nothing_is_left(system: RehearsalSystem, environment: str) -> None:
    deadline = time.monotonic() + 10
    while system.registry.holds.current(environment) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
