"""What the resources' own services say, asked when a deployment stalls or fails: it never raises, and never takes long."""

from interlock.cloudformation.failures import failures_of
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.environment import Environment
from interlock.models.finding import Finding, Suspect
from interlock.models.outcome import Outcome
from interlock.monitoring.stall import Stall
from interlock.monitoring.watcher import Observation
from interlock.wiring import installation
from tasks.run_log import log_of


class Diagnoses:
    """Those of one deployment, by its monitor: told in the run's log, and kept for the record until they are taken."""

    def __init__(self, deployment: Deployment) -> None:
        here = installation()
        self._diagnosis = here.diagnosis(here.environment_of(deployment))
        self._clock = here.clock
        self._log = log_of(deployment)
        self._untold: list[DeploymentEvent] = []
        self._has_seen_cause = False

    def of_stall(self, stall: Stall, observation: Observation) -> tuple[Finding, ...]:
        """Of the overdue resources, as their last events show them."""
        overdue = {row.logical_id for row in stall.overdue}
        last = {event.logical_id: event for event in observation.events if event.logical_id in overdue}
        return self._tell(self._diagnosis.of(Suspect.of(event) for event in last.values()))

    def of_failure(self, observation: Observation) -> None:
        """Of the first cause, at its first sight: the rollback soon removes what there is to see."""
        if self._has_seen_cause or not any(event.state.is_failure for event in observation.new_events):
            return
        if cause := failures_of(observation.events).first_cause:
            self._has_seen_cause = True
            self._tell(self._diagnosis.of_failure(Suspect.of(cause)))

    def take_events(self) -> list[DeploymentEvent]:
        taken, self._untold = self._untold, []
        return taken

    def _tell(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        now = self._clock()
        self._untold += [DeploymentEvent(timestamp=now, event="DIAGNOSIS", details=each.line) for each in findings]
        for each in findings:
            self._log.warning("Diagnosis: %s", each.line)
        return findings


def with_findings(outcome: Outcome, environment: Environment) -> Outcome:
    """The outcome with what is known, or can still be found out, of its first cause."""
    if outcome.first_cause is None:
        return outcome
    findings = installation().diagnosis(environment).of_failure(Suspect.of(outcome.first_cause))
    return outcome.model_copy(update={"findings": findings})
