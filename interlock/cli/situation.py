"""The facts that a status report is made from, read from wherever they can be: what is away is told, not hidden."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from interlock.errors import InterlockError
from interlock.locks import lock_on, open_window
from interlock.models.deployment import Deployment
from interlock.models.environment import Environment
from interlock.monitoring.estimate import Estimate
from interlock.monitoring.past import HISTORY_FOR_ESTIMATES
from interlock.monitoring.status_report import Reason, Situation, status_report
from interlock.queue_estimate import expected_wait
from interlock.several_stacks import stack_to_look_at

if TYPE_CHECKING:
    from interlock.wiring import Installation

STACK_UNREADABLE = "STACK_UNREADABLE"


@dataclass(frozen=True)
class Sighting:
    """What was seen, and what could not be: `troubles` are sentences for people."""

    situation: Situation
    is_stack_readable: bool
    troubles: list[str] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """The status report as JSON. A stack that could not be read is never called ready (promise 10)."""
        report = status_report(self.situation)
        facts = {**report.model_dump(mode="json"), "warnings": self.troubles}
        if not self.is_stack_readable:
            facts["can_deploy"] = False
            facts["reason"] = STACK_UNREADABLE if report.reason is Reason.READY else report.reason.value
        return facts


def look(here: "Installation", environment: Environment) -> Sighting:
    """Read the registry and the stack. Neither being away keeps the other from being shown."""
    troubles: list[str] = []
    known = _tolerate(lambda: _of_registry(here, environment), troubles)
    seen = _tolerate(lambda: _of_stack(here, environment), troubles)
    situation = Situation(
        environment=environment,
        now=here.clock(),
        is_registry_available=known is not None,
        **{"stack": None, "lock": open_window(environment, here.clock()), **(known or {}), **(seen or {})},
    )
    return Sighting(situation, is_stack_readable=seen is not None, troubles=troubles)


def _tolerate(read: Callable[[], dict[str, Any]], troubles: list[str]) -> dict[str, Any] | None:
    try:
        return read()
    except InterlockError as error:
        troubles.append(str(error))
        return None


def _of_registry(here: "Installation", environment: Environment) -> dict[str, Any]:
    hold = here.registry.holds.current(environment.name)
    owner = hold.owner if hold and not hold.is_of_recovery else None
    deployment = here.registry.deployments.get(owner, with_events=False) if owner else None
    return {
        "hold": hold,
        "lock": lock_on(here.registry, environment, here.clock()),
        "tickets": tuple(here.registry.queue.waiting(environment.name)),
        "deployment": deployment,
        "unapproved": tuple(
            one
            for one in here.registry.deployments.active()
            if one.environment == environment.name and one.awaits_approval
        ),
        "estimate": _estimate(here, deployment) if deployment else None,
    }


def _estimate(here: "Installation", deployment: Deployment) -> Estimate:
    history = here.registry.deployments.history(deployment.environment, limit=HISTORY_FOR_ESTIMATES)
    return expected_wait(deployment, history, ahead=0, now=here.clock())


def _of_stack(here: "Installation", environment: Environment) -> dict[str, Any]:
    cloudformation = here.cloudformation(environment)
    stack = stack_to_look_at(cloudformation.stack, environment)
    if stack is None:
        return {}
    operation = cloudformation.latest_operation(stack)
    found: dict[str, Any] = {"stack": stack, "operation": operation}
    if operation and operation.token and not operation.is_ended:
        found["recent_events"] = tuple(cloudformation.events_of_operation(stack.stack_id, operation.token))
    return found
