"""Rehearse one template on a running system: ask as CI would, follow as `interlock deploy` does, gather what there is to see."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

from deployments.rehearsal_system import EnvironmentSettings, RehearsalSystem
from deployments.rehearse.drill import Drill, check
from deployments.rehearse.stall import Stall, StallWatch
from interlock.cli.carry_out import see_through
from interlock.cli.display import Display, display_for
from interlock.cli.follow import Follower
from interlock.cli.outcome import Outcome
from interlock.cloudformation import capabilities
from interlock.cloudformation.gateway import CloudFormation
from interlock.models.environment import Capability, Environment
from interlock.models.stack import StackEvent
from interlock.monitoring.progress import ResourceProgress, progress_of
from interlock.prefect_api import PrefectApi

ENVIRONMENT = "rehearsal"
SETTINGS: EnvironmentSettings = {"stall_after_minutes": 0.05, "capabilities": [each.value for each in Capability]}
"""Of the environment that is deployed to: everything is allowed, and three silent seconds are a stall."""
FAILURE = "Rehearsed failure (interlock rehearse deploy --fail)"
_DELIVERY_SECONDS = 90
"""The scheduled delivery, which sends what a run left, comes every minute."""
_TIMEOUT_SECONDS = 30 * 60
"""Nothing hangs, not even for a template with hundreds of slow resources."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Rehearsal:
    """What came of a drill."""

    outcome: Outcome
    resources: tuple[ResourceProgress, ...] = ()
    standins: tuple[Mapping[str, str], ...] = ()
    messages: tuple[str, ...] = ()
    granted: Mapping[Capability, str] | None = None
    """Capabilities that a real deployment must name, each with the reason."""
    stall: str | None = None
    """How a rehearsed stall went."""

    def as_json(self) -> Json:
        return {
            **self.outcome.as_json(),
            "resources": [each.model_dump(mode="json") for each in self.resources],
            "standins": [dict(each) for each in self.standins],
            "messages": list(self.messages),
            "capabilities_granted": [each.value for each in self.granted or ()],
            "stall": self.stall,
        }


def rehearse(system: RehearsalSystem, drill: Drill, stream: TextIO, *, environment: str = ENVIRONMENT) -> Rehearsal:
    """Deploy the drill's template to the system's environment and follow it on `stream`.

    Raises:
        InvalidRequestError: parameters without a value, or resources that do not exist; nothing was asked for.
        StoppedWaitingError: it has not ended in half an hour.
    """
    target = system.environments[environment]
    check(drill, target)
    _keep_secrets(system, drill, target)
    system.aws.set_rules(_rules(drill, target.stack_name))
    try:
        outcome, stall = _deploy(system, drill, target, display_for(stream, environment, is_ci=False))
    finally:
        system.aws.set_rules([])
    return Rehearsal(
        outcome=outcome,
        resources=_resources(system, target, outcome),
        standins=tuple(each for each in system.aws.standins() if each["stack"] == target.stack_name),
        messages=_messages(system, outcome.correlation_id),
        granted=capabilities.needed(drill.document()),
        stall=stall,
    )


def _keep_secrets(system: RehearsalSystem, drill: Drill, target: Environment) -> None:
    """In the simulated Secrets Manager: a rehearsal passes no secret in a way that a real deployment must not."""
    for identity, value in drill.secrets.items():
        secrets = _client(system, target, "secretsmanager")
        try:
            secrets.create_secret(Name=identity, SecretString=value)
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=identity, SecretString=value)


def _rules(drill: Drill, stack: str) -> list[Json]:
    behaviours: list[tuple[str | None, Json]] = [(drill.fail, {"Fail": FAILURE}), (drill.stall, {"Stall": True})]
    return [{"match": f"{stack}/{name}", **behaviour} for name, behaviour in behaviours if name]


def _deploy(system: RehearsalSystem, drill: Drill, target: Environment, display: Display) -> tuple[Outcome, str | None]:
    api = PrefectApi(system.environment())
    request = drill.request(target.name).model_dump(mode="json")
    watch = _stall_watch(system, drill, target, display)
    run = api.create_flow_run(api.deployment_id(target.name), request, idempotency_key=_key())
    with watch or display as shown:
        follower = Follower(api, shown, timeout_seconds=_TIMEOUT_SECONDS)
        outcome = see_through(api, run, target.name, follower, shown)
    return outcome, watch.story if watch else None


def _key() -> str:
    return f"rehearsal-{datetime.now(UTC).isoformat()}"


def _stall_watch(system: RehearsalSystem, drill: Drill, target: Environment, display: Display) -> StallWatch | None:
    if drill.stall is None:
        return None
    stall = Stall(drill.stall, drill.resources(target.region)[drill.stall])
    return StallWatch(system, target, stall, display)


def _resources(system: RehearsalSystem, target: Environment, outcome: Outcome) -> tuple[ResourceProgress, ...]:
    """How long each took on the way forward: what a rollback did with them afterwards is in the log."""
    token = (outcome.facts.get("record") or {}).get("operation_token")
    if not token:
        return ()
    events = _forward(_cloudformation(system, target).events_of_operation(target.stack_name, token))
    return progress_of(events, (), events[-1].timestamp).resources if events else ()


def _forward(events: Sequence[StackEvent]) -> list[StackEvent]:
    turned = next(
        (at for at, event in enumerate(events) if event.is_of_the_stack and event.state.is_rolling_back), None
    )
    return list(events[:turned])


def _cloudformation(system: RehearsalSystem, target: Environment) -> CloudFormation:
    return CloudFormation(_client(system, target, "cloudformation"))


def _client(system: RehearsalSystem, target: Environment, service: str) -> Any:
    """Of the simulated AWS, whatever this person's own settings are."""
    import boto3  # noqa: PLC0415 - heavy, and needed only now

    environ = system.aws.environment()
    session: Any = boto3.Session(
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        region_name=target.region,
    )
    return session.client(service, endpoint_url=system.aws.url)


def _await_delivery(system: RehearsalSystem, correlation_id: str) -> None:
    """Slack takes a message a second, and a run does not wait for all of its own."""
    deadline = time.monotonic() + _DELIVERY_SECONDS
    while time.monotonic() < deadline and correlation_id in system.registry.outbox.undelivered():
        time.sleep(0.2)


def _messages(system: RehearsalSystem, correlation_id: str | None) -> tuple[str, ...]:
    """The parent as it was posted, then its thread: the last reply reads as the parent does at the end."""
    if correlation_id is None:
        return ()
    _await_delivery(system, correlation_id)
    found = system.slack.messages()
    parents = [each for each in found if each["thread_ts"] is None and correlation_id in each["text"]]
    threads = {parent["ts"] for parent in parents}
    replies = [each["text"] for each in found if each["thread_ts"] in threads]
    posted = [(parent["edits"] or [parent])[0]["text"] for parent in parents]
    return (*posted, *replies)
