"""The wait for a person: asked for with the environment held, waited for without it, and without a process.

The run is suspended: its engine ends, and a person's answer (a form in Prefect's UI, `interlock approve`, an API call)
starts it again. Prefect keeps the answer under the approval's key, so a process that dies on the way reads it again.
"""

from typing import Any

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import Field

from interlock.approvals import Approvals, is_needed, raise_if_refused
from interlock.changes_hash import SHOWN, changes_hash
from interlock.cloudformation.requests import CheckedRequest
from interlock.errors import ApprovalUnavailableError
from interlock.hold_keeper import HoldKeeper
from interlock.models.approval import Answer, Decision
from interlock.models.deployment import Deployment
from interlock.models.stack import ChangeSet
from interlock.summary_page import changes_in_words
from interlock.wiring import Installation, installation
from tasks.adoption import resumed_at
from tasks.artifacts import changes_on_record
from tasks.notify import notify, notify_at_last
from tasks.run_log import run_log
from tasks.step import step


class ApprovalInput(RunInput):
    """The form in Prefect's UI, and the `run_input` of an API call."""

    decision: Decision = Field(
        description="approve: the changes are made when it is this deployment's turn. deny: never."
    )
    actor: str = Field(min_length=1, max_length=200, description="Who decides; kept on record.")
    reason: str = Field(default="", max_length=1000, description="Why; kept on record.")
    hash: str = Field(
        default="",
        max_length=64,
        description="The changes that you have seen, by their hash; empty: those asked about.",
    )


def lacks_approval(deployment: Deployment, request: CheckedRequest, change_set: ChangeSet) -> bool:
    """Whether a person must still agree to these very changes."""
    environment = installation().environment(deployment.environment)
    return is_needed(environment, deployment, _hash(request, change_set))


@step("ask for approval")
def ask_for_approval(
    deployment: Deployment, request: CheckedRequest, change_set: ChangeSet, keeper: HoldKeeper
) -> Deployment:
    """Put it on record and announce it. The change set is removed: it will be out of date, and anyone could execute it.

    Raises:
        ApprovalUnavailableError: the registry is away. What is only in this process's memory ends with it.
    """
    here = installation()
    here.cloudformation(here.environment(deployment.environment)).delete_change_set(change_set.arn, guard=keeper.guard)
    asked = _approvals(here, deployment).request(deployment, change_set, _hash(request, change_set))
    if here.is_degraded:
        raise ApprovalUnavailableError(
            "The changes need a person's approval, and the registry, which keeps it, does not answer.",
            environment=deployment.environment,
            correlation_id=deployment.correlation_id,
            next_step="Nothing was changed. Deploy again when the registry is back.",
        )
    return asked


def wait_for_approval(deployment: Deployment) -> Deployment:
    """Suspend the run until a person has decided; then the deployment with the decision. No task: only a flow can.

    Raises:
        DeniedError, ApprovalExpiredError: it ends here.
        Pause: Prefect's signal that ends the engine of a run that is suspended now.
    """
    while deployment.awaits_approval:
        notify_at_last(deployment)
        deployment = take_decision(deployment, _suspend(deployment))
        notify(deployment)
    raise_if_refused(deployment)
    return deployment


@step("record the decision")
def take_decision(deployment: Deployment, answer: Answer) -> Deployment:
    here = installation()
    decided = _approvals(here, deployment).decide(deployment, answer, at=resumed_at() or here.clock())
    taken = "asked again, these are not the changes that were meant" if decided.awaits_approval else "taken"
    run_log().info("Decision: %s, by %s: %s.", answer.decision, " ".join(answer.actor.split()), taken)
    return decided


def _suspend(deployment: Deployment) -> Answer:
    approval = deployment.approval
    if approval is None:
        raise ValueError("No approval was asked for.")
    until = f"{approval.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    run_log().info(
        "The changes (%s) wait for approval until %s: `interlock approve %s`, `interlock deny %s`, or resume this run.",
        approval.hash[:SHOWN],
        until,
        deployment.correlation_id,
        deployment.correlation_id,
    )
    form: Any = ApprovalInput.with_initial_data(
        description=f"Approve or deny changes {approval.hash[:SHOWN]} of {deployment.environment} until {until}:\n\n"
        + "\n".join(changes_in_words(deployment, changes_on_record(deployment)))
    )
    # No timeout of Prefect's: at its end the run would be Failed, whatever the record says. The sweep looks at ours.
    # The key is this asking's alone: for one that was used before, in a rerun say, Prefect has the old answer at hand.
    given: ApprovalInput = suspend_flow_run(wait_for_input=form, key=f"{deployment.correlation_id}-{approval.round}")
    return Answer(decision=given.decision, actor=given.actor, reason=given.reason, hash=given.hash)


def _approvals(here: Installation, deployment: Deployment) -> Approvals:
    return Approvals(here.registry, here.environment(deployment.environment), here.clock)


def _hash(request: CheckedRequest, change_set: ChangeSet) -> str:
    return changes_hash(change_set, template_sha256=request.template.sha256, parameters=request.parameters)
