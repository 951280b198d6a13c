"""The record of a deployment: opened before anything else is done, closed before anything is given back."""

import hashlib
import json
import time

from prefect import State
from prefect.runtime import deployment as prefect_deployment
from prefect.utilities.urls import url_for

from interlock import console_links
from interlock.correlation_id import new_correlation_id
from interlock.errors import CorrelationIdTakenError, InvalidRequestError, PermanentError
from interlock.logs.subject import Subject
from interlock.models.deployment import Deployment, DeploymentEvent
from interlock.models.environment import Environment
from interlock.models.notice import Notice, NoticeKind
from interlock.models.outcome import Outcome, outcome_of_error, outcome_on_record
from interlock.models.request import DeploymentRequest
from interlock.notices import notice_of
from interlock.reasons import stated
from interlock.timing import CATCH_UP_POLL_SECONDS, CATCH_UP_SECONDS
from interlock.turn import join_queue
from interlock.wiring import Installation, installation, installation_of_a_deployment
from tasks.adoption import is_adoption
from tasks.artifacts import publish_outcome, publish_refusal, show_summary
from tasks.endings import final_state
from tasks.prefect_side import current_flow_run, name_the_run
from tasks.run_log import begin_log, process_is_about, run_log
from tasks.step import step


@step("record the request")
def open_deployment(request: DeploymentRequest) -> Deployment:
    """The deployment of this run: a new one, or the one that an earlier process of this run left.

    That one may be final: it was finished by somebody else while this process, its adopter, was starting. A run that a
    person retries after its end is a new attempt of the same request: a new deployment, which names the one before.

    Raises:
        UnknownEnvironmentError: there is no such environment, so there is nothing to record it under.
        InvalidRequestError: the environment is not the one that this Prefect deployment is for, or a lock is to be
            overridden without a reason.
    """
    here = installation_of_a_deployment()
    begin_log(Subject(environment=request.environment, flow_run_id=str(current_flow_run().id)))
    environment = here.environment(request.environment)
    _require_own_environment(request)
    _require_reason(request)
    earlier = here.registry.deployments.of_flow_run(str(current_flow_run().id))
    if earlier and _is_left_to_us(earlier):
        deployment = _carried_on(here, earlier)
    else:
        deployment = _register(here, environment, request, retry_of=earlier.correlation_id if earlier else None)
    process_is_about(deployment)
    name_the_run(deployment)
    if not deployment.status.is_final:
        show_summary(deployment)
    run_log().info(
        "Deployment %s of %s (stack %s)%s.",
        deployment.correlation_id,
        environment.name,
        ", ".join(environment.stacks),
        f", a new attempt of {deployment.retry_of}" if deployment.retry_of else "",
        extra={"event": "DEPLOYMENT_REQUESTED"},
    )
    return deployment


@step("record the outcome")
def close_deployment(deployment: Deployment, outcome: Outcome) -> tuple[Deployment, Outcome]:
    """Record how it ended, once: whoever comes second (a hook, the sweep, a rerun) changes nothing.

    Answers the record, and the outcome that it tells of: this one, or the first one's.
    """
    here = installation()
    outcome = outcome.redacted(here.redactor.redact)
    event = DeploymentEvent(
        timestamp=here.clock(), event=f"DEPLOYMENT_{outcome.status.value}", details=outcome.reason or outcome.title
    )
    was_first = here.registry.deployments.finish(
        deployment.correlation_id,
        outcome.status,
        reason=outcome.reason,
        events=[event],
        notices=[notice_of(outcome, deployment, now=here.clock())],
        changes={
            "outputs": outcome.outputs,
            "application_url": outcome.application_url,
            "no_changes": outcome.no_changes,
        }
        | ({"stack_status": outcome.stack_status} if outcome.stack_status else {}),
    )
    closed = here.registry.deployments.get(deployment.correlation_id)
    outcome = outcome if was_first else outcome_on_record(closed)
    publish_outcome(closed, outcome)
    return closed, outcome


def catch_up(deployment: Deployment) -> None:
    """After an outage of the registry, have it learn what it missed; without one, nothing."""
    if installation().is_degraded:
        _write_missed(deployment)


@step("write what the registry missed", retry_delays_seconds=())
def _write_missed(deployment: Deployment) -> None:
    """Wait a while for the registry's return, then leave the rest to the sweep of this machine."""
    here = installation()
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while here.outage and not here.outage.catch_up():
        if time.monotonic() > deadline:
            _spool(here, deployment)
            return
        time.sleep(CATCH_UP_POLL_SECONDS)


def _spool(here: Installation, deployment: Deployment) -> None:
    here.spool.mkdir(parents=True, exist_ok=True)
    file = here.spool / f"{deployment.correlation_id}.json"
    unwritten = here.outage.unwritten() if here.outage else []
    file.write_text(json.dumps(unwritten), encoding="utf-8")
    run_log().warning("The registry is still away: its part of this deployment is in %s, for the next sweep.", file)


def refuse(request: DeploymentRequest, error: PermanentError) -> State:
    """The end of a request that never became a deployment."""
    outcome = outcome_of_error(error)
    publish_refusal(request.environment, outcome)
    return final_state(outcome)


def _require_own_environment(request: DeploymentRequest) -> None:
    """Whoever may run `deploy/staging` must not reach production through it."""
    name = prefect_deployment.name
    if name and name != request.environment:
        raise InvalidRequestError(
            [f"environment: {request.environment!r} was asked of the Prefect deployment 'deploy/{name}'"],
            environment=request.environment,
        )


def _require_reason(request: DeploymentRequest) -> None:
    if request.override_lock_reason is not None:
        stated(request.override_lock_reason, "override_lock_reason", environment=request.environment)


def _is_left_to_us(earlier: Deployment) -> bool:
    """An earlier process of this very run did not bring it to its end, or we were started because it had not."""
    return not earlier.status.is_final or is_adoption()


def _carried_on(here: Installation, found: Deployment) -> Deployment:
    if (
        found.status.is_final or found.awaits_approval
    ):  # in the one case nothing is left to do, in the other nobody died
        return found
    return here.registry.deployments.record(
        found.correlation_id,
        events=[
            DeploymentEvent(timestamp=here.clock(), event="DEPLOYMENT_ADOPTED", details="Its earlier process ended.")
        ],
        notices=[Notice(kind=NoticeKind.ADOPTED)],
    )


def _register(
    here: Installation, environment: Environment, request: DeploymentRequest, *, retry_of: str | None
) -> Deployment:
    while True:
        try:
            deployment = here.registry.deployments.register(
                _new(here, environment, request, retry_of=retry_of),
                notices=[Notice(kind=NoticeKind.STARTED, facts={"actor": request.actor, "git_sha": request.git_sha})],
            )
        except CorrelationIdTakenError:
            run_log().info("The correlation id was taken: making another one.")
        else:
            # At once: while its first message waits for Slack, a later request would see nobody ahead of it.
            join_queue(here.registry, deployment, now=here.clock())
            return deployment


def _new(
    here: Installation, environment: Environment, request: DeploymentRequest, *, retry_of: str | None
) -> Deployment:
    run, now = current_flow_run(), here.clock()
    is_first_attempt = (run.run_count or 0) <= 1 and run.created is not None
    return Deployment(
        correlation_id=new_correlation_id(now),
        workflow_run_id=request.workflow_run_id,
        environment=environment.name,
        stack_name=environment.stacks[0],
        stacks=environment.stacks if environment.stacks_before else (),
        region=environment.region,
        started_at=now,
        updated_at=now,
        asked_at=run.created if is_first_attempt and run.created else now,
        github_run_url=request.github_run_url,
        aws_console_url=console_links.stack_link(environment.region, environment.stacks[0]),
        flow_run_id=str(run.id),
        flow_run_url=url_for("flow-run", obj_id=str(run.id)),
        retry_of=retry_of,
        actor=request.actor,
        lock_override=(request.override_lock_reason or "").strip() or None,
        git_sha=request.git_sha,
        template_sha256=hashlib.sha256(request.template.encode()).hexdigest(),
        events=(DeploymentEvent(timestamp=now, event="DEPLOYMENT_REQUESTED", details=_asked_for(request, retry_of)),),
    )


def _asked_for(request: DeploymentRequest, retry_of: str | None) -> str:
    if retry_of:  # Prefect does not tell who it was
        return f"A person had the run of {retry_of} tried again: a new attempt of the same request."
    back = f", to go back to {request.rollback_to}" if request.rollback_to else ""
    return f"Asked for by {request.actor or 'an API caller'}{back}."
