"""The sweep's look at deployments that wait for approval: they have no process, and that is as it should be."""

from interlock.models.deployment import Deployment
from interlock.signs_of_life import GRACE
from interlock.wiring import Installation
from tasks.prefect_side import UNREACHABLE, flow_run_state


def is_stuck(here: Installation, deployment: Deployment) -> bool:
    """Whether its time is over, or its run is not there to be resumed: it ended, or its process died on the way."""
    try:
        state = flow_run_state(deployment.flow_run_id) if deployment.flow_run_id else None
    except UNREACHABLE:
        return False
    now = here.clock()
    if state is None or state.is_paused():
        return deployment.approval is not None and deployment.approval.is_over(now)
    if state.is_scheduled() or state.is_pending():
        return False  # a person has decided, in time as it may be: its process will tell
    return state.is_final() or now - state.timestamp > GRACE
