"""What must be true after a recovery, as seen by those who cannot be fooled: AWS's own log, Slack's messages, the registry."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx

from deployments.rehearsal_system import RehearsalSystem
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.outcome import Outcome
from interlock.notices import notice_of
from interlock.notifications.messages import render
from interlock.plain_http import NO_CERTIFICATES
from tests.acceptance.asking import Asked

Json = dict[str, Any]


@dataclass(frozen=True)
class Witness:
    """One environment, on which `victim` was struck while `second` waited behind it."""

    system: RehearsalSystem
    environment: str
    victim: Asked
    second: Asked

    def unsettled(self) -> list[str]:
        """What has not come to rest yet; empty once the recovery is complete."""
        return list(self._unsettled())

    def broken(self) -> list[str]:
        """The promises that were broken on the way; look once everything has settled."""
        return [*self._exclusivity(), *self._shut_out(), *self._record(), *self._order(), *self._slack()]

    def _unsettled(self) -> Iterator[str]:
        registry = self.system.registry
        for name, asked in (("victim", self.victim), ("second", self.second)):
            deployment = registry.deployments.of_flow_run(asked.flow_run_id)
            if deployment is None:
                yield f"{name} has no record"
            elif not deployment.status.is_final:
                yield f"{name} is {deployment.status}"
            elif undelivered := [
                row for row in registry.outbox.rows(deployment.correlation_id) if row.state == "waiting"
            ]:
                yield f"{name} has {len(undelivered)} messages to send"
            state = asked.run()["state_type"]
            if state not in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
                yield f"{name}'s run is {state}"
        if hold := registry.holds.current(self.environment):
            yield f"{hold.owner} has the hold"
        if tickets := registry.queue.waiting(self.environment):
            yield f"{len(tickets)} in the queue"
        if (slots := self._active_slots()) != 0:
            yield "the slot could not be read" if slots is None else f"{slots} slots taken"

    def _active_slots(self) -> int | None:
        """None while the server is too busy to say: then nothing is known to have come to rest."""
        url = f"{self.system.api_url}/v2/concurrency_limits/environment-{self.environment}"
        try:
            answer = httpx.get(url, timeout=30, verify=NO_CERTIFICATES)
        except httpx.TransportError:
            return None
        if answer.is_server_error:
            return None
        return 0 if answer.status_code == httpx.codes.NOT_FOUND else int(answer.json()["active_slots"])

    def _exclusivity(self) -> Iterator[str]:
        operations = self._operations()
        for before, after in pairwise(operations):
            if before["ended"] is None or before["ended"] > after["started"]:
                yield f"operations overlap: {before} {after}"
        for token, times in Counter(each["token"] for each in operations).items():
            if times > 1:
                yield f"{token} was carried out {times} times"
        executions = Counter(
            each["token"]
            for each in self.system.aws.log()
            if each["action"] == "ExecuteChangeSet" and self._stack in (each["stack"] or "") and each["status"] == 200
        )
        for token, times in executions.items():
            if times > 1:
                yield f"{token}: {times} executions were taken"

    def _shut_out(self) -> Iterator[str]:
        """While the second one holds the environment, the victim asks for no change, not even in vain.

        (A victim that had lost its place, because it stood still before it held anything, may come after that.)
        """
        victim, second = self._of(self.victim), self._of(self.second)
        if victim is None or second is None or second.deploying_since is None or second.finished_at is None:
            return
        since, until = second.deploying_since.timestamp(), second.finished_at.timestamp()
        for each in self.system.aws.log():
            if since < each["t"] < until and str(each["token"]).startswith(victim.correlation_id):
                yield f"the victim sent {each['action']} while the second one held the environment"

    def _record(self) -> Iterator[str]:
        operations = {each["token"]: each for each in self._operations()}
        for deployment in self._deployments():
            operation = operations.get(deployment.correlation_id)
            succeeded = deployment.status is DeploymentStatus.SUCCEEDED
            if operation is None and succeeded and not deployment.no_changes:
                yield f"{deployment.correlation_id} is SUCCEEDED and CloudFormation knows of no operation"
            elif operation is not None and succeeded != _is_success(operation):
                yield f"{deployment.correlation_id} is {deployment.status} and CloudFormation {operation['outcome']}"
            elif operation is not None and deployment.stack_status != operation["outcome"]:
                yield f"{deployment.correlation_id} says {deployment.stack_status}, CloudFormation {operation['outcome']}"

    def _order(self) -> Iterator[str]:
        second = self._of(self.second)
        if second is None or second.status is not DeploymentStatus.SUCCEEDED:
            yield f"the second one is {second.status if second else 'not on record'}: {second and second.reason}"
        granted = sorted(self._deployments(), key=lambda one: str(one.deploying_since))
        tokens = [each["token"] for each in self._operations()]
        both = [one.correlation_id for one in granted if one.correlation_id in tokens]
        if [token for token in tokens if token in both] != both:
            yield "the operations were not carried out in the order in which the environment was granted"

    def _slack(self) -> Iterator[str]:
        messages = self.system.slack.messages()
        for deployment in self._deployments():
            named = [each for each in messages if deployment.correlation_id in each["text"]]
            parents = [each for each in named if each["thread_ts"] is None]
            # By its thread: that another one waits for it is told in the other's, whenever the channel has room.
            threads = {each["ts"] for each in parents}
            mine = [each for each in messages if each["ts"] in threads or each["thread_ts"] in threads]
            ends = [each for each in mine if each["thread_ts"] and _heading(each) == _end(deployment)]
            if len(parents) not in (1, 2) or len(ends) not in (1, 2) or len(parents) + len(ends) > 3:
                yield f"{deployment.correlation_id}: {len(parents)} starts and {len(ends)} ends in Slack"
            elif _heading(parents[-1]) != _end(deployment):
                yield f"{deployment.correlation_id}: its message says {_heading(parents[-1])}"
            elif mine[0] is not parents[0] or mine[-1] is not ends[-1]:
                yield f"{deployment.correlation_id}: told out of order: {[_heading(each) for each in mine]}"

    def _operations(self) -> list[Json]:
        mine = [each for each in self.system.aws.operations() if each["stack"] == self._stack]
        return sorted(mine, key=lambda each: each["started"])

    def _deployments(self) -> list[Deployment]:
        return [found for asked in (self.victim, self.second) if (found := self._of(asked))]

    def _of(self, asked: Asked) -> Deployment | None:
        return self.system.registry.deployments.of_flow_run(asked.flow_run_id)

    @property
    def _stack(self) -> str:
        return f"interlock-{self.environment}"


def _is_success(operation: Json) -> bool:
    return operation["outcome"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def _heading(message: Json) -> str:
    """The first line, without its emoji and the correlation id that some carry."""
    return str(message["text"]).splitlines()[0].partition(" ")[2].partition(" [")[0]


def _end(deployment: Deployment) -> str:
    """The heading of its last message, as the product renders it."""
    if not deployment.status.is_final:
        return "(not ended)"
    notice = notice_of(Outcome(status=deployment.status), deployment, now=deployment.updated_at)
    detail = render(deployment, notice).detail
    return detail.title.partition(" [")[0] if detail else ""
