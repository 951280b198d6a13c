"""With a part of the installation away, a deployment goes on, says so, and is on record afterwards."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.rehearsal_system import RehearsalSystem
from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import DeliveryState, NoticeKind
from tests.acceptance.asking import Asked, ask, chain, sweep

ENVIRONMENT = "degraded"
STACK = f"interlock-{ENVIRONMENT}"
TOLD = {DeliveryState.DELIVERED, DeliveryState.SKIPPED}


@contextmanager
def without_the_registry(system: RehearsalSystem) -> Iterator[None]:
    """Its file is moved away; the write-ahead log goes with it."""
    assert system.home is not None
    files = list(system.home.glob("registry.db*"))
    for file in files:
        file.rename(file.with_name(f"away-{file.name}"))
    try:
        yield
    finally:
        for file in files:
            file.unlink(missing_ok=True)
            file.with_name(f"away-{file.name}").rename(file)


def test_a_deployment_goes_on_without_its_registry_and_is_on_record_when_that_is_back(system: RehearsalSystem) -> None:
    system.aws.set_rules(
        [{"match": f"{STACK}/R1", "Stall": True}]
    )  # until the registry is away, however long that takes
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1))
    asked.wait_for_log("CloudFormation is carrying out")
    with without_the_registry(system):
        system.aws.set_rules([{"match": f"{STACK}/R1", "Seconds": 0, "Stall": False}])
        asked.wait_for_log("The operation has ended")
        asked.wait_for_log("The registry does not answer")
    system.aws.set_rules([])
    assert asked.wait(timeout_seconds=180)["state_name"] == "Succeeded"
    record = system.registry.deployments.get(asked.correlation_id())
    assert record.status is DeploymentStatus.SUCCEEDED
    assert "REGISTRY_UNAVAILABLE" in [each.event for each in record.events]
    assert system.registry.holds.current(ENVIRONMENT) is None
    rows = system.registry.outbox.rows(asked.correlation_id())
    assert NoticeKind.DEGRADED in [row.notice.kind for row in rows]


def test_slack_down_neither_fails_nor_delays_a_deployment_and_everything_is_told_when_it_is_back(
    system: RehearsalSystem,
) -> None:
    system.slack.set_faults({"method": "*", "kind": "http500", "times": None})
    try:
        asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=1))
        assert asked.wait()["state_name"] == "Succeeded"
    finally:
        system.slack.set_faults()
    later = ask(system.api_url, ENVIRONMENT, chain(0.1, 0.1, delay=2))
    later.wait()
    _wait_until_told(system, asked)
    about = [each for each in system.slack.messages() if asked.correlation_id() in each["text"]]
    assert len([each for each in about if not each["thread_ts"]]) == 1


def _wait_until_told(system: RehearsalSystem, asked: Asked) -> None:
    """One message a second in a channel: what one delivery has no time for is the next one's."""
    deadline = time.monotonic() + 90
    while {row.state for row in system.registry.outbox.rows(asked.correlation_id())} - TOLD:
        assert time.monotonic() < deadline
        sweep(system.api_url)


def test_promise_10_throttling_slows_a_deployment_and_decides_nothing(system: RehearsalSystem) -> None:
    asked = ask(system.api_url, ENVIRONMENT, chain(0.1, 8, delay=3))
    asked.wait_for_log("CloudFormation is carrying out")
    system.aws.set_faults(
        [
            {
                "service": "cloudformation",
                "action": "Describe*",
                "kind": "error",
                "code": "Throttling",
                "message": "Rate exceeded",
                "status": 400,
                "times": 12,
            }
        ]
    )
    try:
        assert asked.wait(timeout_seconds=180)["state_name"] == "Succeeded"
    finally:
        system.aws.set_faults([])
