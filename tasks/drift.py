"""Show what was changed by hand, before the change set is made. Help for people: it never ends a deployment."""

import time

from interlock.cloudformation.polling import Waiting
from interlock.drift import look_for_drift
from interlock.errors import InterlockError
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.drift import Drift
from interlock.wiring import installation
from tasks.artifacts import publish_drift
from tasks.run_log import run_log
from tasks.step import step


@step("show drift", retry_delays_seconds=())
def tell_drift(deployment: Deployment) -> Drift:
    """In the log, in a table, and as one event of the record. Takes two minutes at most."""
    drift = _drift(deployment)
    _tell(drift)
    publish_drift(deployment, drift)
    here = installation()
    name = "DRIFT_NOT_KNOWN" if drift.not_known else "DRIFT_DETECTED" if drift.resources else "NO_DRIFT"
    event = DeploymentEvent(timestamp=here.clock(), event=name, details=drift.in_words)
    here.registry.deployments.record(deployment.correlation_id, events=[event])
    return drift


def _drift(deployment: Deployment) -> Drift:
    here = installation()
    environment = here.environment_of(deployment)
    try:
        return look_for_drift(here.cloudformation(environment), environment, Waiting(here.clock, time.sleep))
    except InterlockError as error:
        return Drift(not_known=" ".join(part for part in (error.message, error.next_step) if part))
    except Exception as error:  # noqa: BLE001 - an answer nobody thought of: worth a line, never a deployment
        return Drift(not_known=f"it could not be read ({type(error).__name__}).")


def _tell(drift: Drift) -> None:
    level = run_log().warning if drift.not_known or drift.resources else run_log().info
    level("Drift: %s", drift.in_words, extra={"event": "DRIFT"})
    for resource in drift.resources:
        run_log().warning("Drift: %s.", resource.in_words)
        for each in resource.properties:
            run_log().warning("Drift:   %s: expected %s, is %s (%s)", each.path, each.expected, each.actual, each.kind)
