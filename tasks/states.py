"""From an outcome to the Prefect state that says it."""

from prefect import State
from prefect.states import Cancelled, Completed, Failed

from interlock.models.deployment import DeploymentStatus
from interlock.models.outcome import Outcome

_MAKERS = {
    DeploymentStatus.SUCCEEDED: Completed,
    DeploymentStatus.SUPERSEDED: Cancelled,
    DeploymentStatus.CANCELLED: Cancelled,
    DeploymentStatus.DENIED: Cancelled,
    DeploymentStatus.EXPIRED: Cancelled,
}


def state_of(outcome: Outcome) -> State:
    """The Prefect state that says how the deployment ended: its name is the outcome in words."""
    state: State = _MAKERS.get(outcome.status, Failed)(name=outcome.title, message=outcome.reason)
    return state
