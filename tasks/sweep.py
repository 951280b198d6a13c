"""The steps of a sweep. Each environment is swept apart from the others: one that fails does not stop them."""

import os
import socket
from datetime import timedelta
from uuid import uuid4

from prefect.artifacts import create_table_artifact
from prefect.client.orchestration import SyncPrefectClient

from interlock.continued_rollback import free_after_crash
from interlock.errors import DeploymentNotFoundError, InterlockError
from interlock.models.deployment import Deployment
from interlock.models.environment import Environment
from interlock.models.notice import Notice, NoticeKind
from interlock.recovery import Recovery, Verdict
from interlock.signs_of_life import is_alive, seconds_of_grace
from interlock.timing import SLOT_PATIENCE_SECONDS, SWEEP_AGAIN_SECONDS
from interlock.wiring import Installation, installation
from tasks.adoption import adopt, end_run
from tasks.finding import Finding
from tasks.prefect_side import (
    UNREACHABLE,
    best_effort,
    client,
    ensure_limit,
    flow_run_state,
    free_slot,
    runs_under_way,
    slot_taken_since,
    sweep_soon,
)
from tasks.run_log import about, begin_log, run_log
from tasks.secret_values import gateway_to_settle
from tasks.step import step
from tasks.sweep_approvals import is_stuck
from tasks.sweep_runs import mend_runs

LEASE = "sweep"
LEASE_SECONDS = 240
"""A sweep that takes longer is taken for dead; the next scheduled one starts after it."""


@step("is another sweep running?", retry_delays_seconds=())
def begin_sweep() -> bool:
    """Whether this sweep may go on: only one at a time."""
    begin_log(stream="sweep")
    return installation().registry.leases.acquire(LEASE, _owner(), lifetime_seconds=LEASE_SECONDS)


@step("write what the registry missed", retry_delays_seconds=())
def write_missed() -> list[Finding]:
    """What deployments of this machine could not write when they ended in an outage of the registry."""
    here = installation()
    return [
        Finding(environment="", found=f"{name}: what the registry missed", done="written")
        for name in here.write_spooled()
    ]


@step("end the sweep", retry_delays_seconds=())
def end_sweep() -> None:
    installation().registry.leases.release(LEASE, _owner())


@step("sweep the environment", retry_delays_seconds=())
def sweep_environment(name: str) -> list[Finding]:
    """Finish or adopt what the dead left, remove dead tickets, mend the slot."""
    here = installation()
    environment = here.environment(name)
    findings = [_settle(here, environment, deployment) for deployment in _dead(here, name)]
    findings += [
        Finding(environment=name, correlation_id=ticket.correlation_id, found="a dead ticket", done="removed")
        for ticket in here.registry.queue.remove_dead(name)
    ]
    return [
        *[finding for finding in findings if finding],
        *_free_left_hold(here, environment),
        *mend_runs(here, environment),
        *_mend_slot(here, environment),
    ]


@step("sweep again while anything is active")
def sweep_again_soon() -> None:
    """A process that died a moment ago still looks alive: what is active now is looked at again when that can be told."""
    here = installation()
    with best_effort("the next sweep"), client() as prefect:
        active = here.registry.deployments.active()
        if active or runs_under_way():
            silent = [seconds_of_grace(here.registry, one, here.clock()) for one in active]
            sweep_soon(
                prefect, in_seconds=min([SWEEP_AGAIN_SECONDS, *(left + 1 for left in silent if left is not None)])
            )


@step("report")
def report(findings: list[Finding]) -> None:
    """An artifact of what was found, and a message of what was done, if anything was."""
    for finding in findings:
        run_log().warning(
            "%s %s: %s: %s",
            finding.environment,
            finding.correlation_id or "",
            finding.found,
            finding.done,
            extra={"correlation_id": finding.correlation_id, "environment": finding.environment, "event": "SWEPT"},
        )
    if findings:
        with best_effort("the sweep's report"):
            create_table_artifact(
                key="interlock-sweep",
                table=[finding.model_dump() for finding in findings],
                description="What the sweep found, and what it did about it",
            )
        announce(findings)


def announce(findings: list[Finding]) -> None:
    """A message of its own to the channel of each environment in which something was done."""
    here = installation()
    done = [finding for finding in findings if finding.environment and not finding.is_left]
    for environment in sorted({finding.environment for finding in done}):
        told = [finding.model_dump(mode="json") for finding in done if finding.environment == environment]
        notice = Notice(kind=NoticeKind.SWEPT, facts={"environment": environment, "findings": told})
        here.registry.outbox.announce(f"{environment}-sweep-{uuid4()}", notice)


def swept_environments() -> list[str]:
    return sorted(installation().environments)


def failed(environment: str, error: InterlockError) -> Finding:
    """An environment that could not be swept."""
    return Finding(
        environment=environment, found=f"could not be swept: {error}", done="left for the next sweep", is_left=True
    )


def _dead(here: Installation, environment: str) -> list[Deployment]:
    active = [one for one in here.registry.deployments.active() if one.environment == environment]
    return [one for one in active if _is_dead(here, one)]


def _is_dead(here: Installation, deployment: Deployment) -> bool:
    if deployment.awaits_approval:
        return is_stuck(here, deployment)
    return _run_has_ended(deployment) or not is_alive(here.registry, deployment, here.clock())


def _run_has_ended(deployment: Deployment) -> bool:
    """Prefect knows that it ended. (That it says "Running" means nothing: a dead worker's runs do so for good.)"""
    try:
        state = flow_run_state(deployment.flow_run_id) if deployment.flow_run_id else None
    except UNREACHABLE:
        return False
    return state is not None and state.is_final()


def _settle(here: Installation, environment: Environment, deployment: Deployment) -> Finding:
    with about(deployment):
        return _settle_deployment(here, environment, deployment)


def _settle_deployment(here: Installation, environment: Environment, deployment: Deployment) -> Finding:
    recovery = Recovery(here.registry, here.environment_of(deployment), gateway_to_settle(deployment), here.clock)
    cancelled = deployment.cancel_requested or _was_cancelled(deployment)
    why = "Cancelled by a person." if cancelled else "The deployment's process died."
    settled = recovery.settle(deployment.correlation_id, why=why, cancelled=cancelled)
    if settled.outcome:
        end_run(here.registry.deployments.get(deployment.correlation_id), settled.outcome)
    done, is_left = str(settled.verdict), settled.outcome is None
    if settled.verdict.must_be_seen_through or settled.verdict is Verdict.WAITS_FOR_APPROVAL:
        adoption = adopt(deployment, cancelled=cancelled)
        done, is_left = adoption.words, not adoption.is_begun
    return Finding(
        environment=environment.name,
        correlation_id=deployment.correlation_id,
        found=_how_it_was_found(deployment),
        done=done,
        is_left=is_left,
    )


def _how_it_was_found(deployment: Deployment) -> str:
    if deployment.awaits_approval:
        return "waiting for approval, and its time is over or its run cannot be resumed"
    return f"{deployment.status.value}, and no sign of life of its process"


def _was_cancelled(deployment: Deployment) -> bool:
    try:
        state = flow_run_state(deployment.flow_run_id) if deployment.flow_run_id else None
    except UNREACHABLE:
        return False
    return state is not None and (state.is_cancelled() or state.is_cancelling())


def _free_left_hold(here: Installation, environment: Environment) -> list[Finding]:
    """A hold whose deployment has ended: its process died between the record and the release."""
    hold = here.registry.holds.current(environment.name)
    if hold is None or hold.owner is None or hold.is_live(here.clock()):
        return []
    if hold.is_of_recovery:
        done = free_after_crash(here.registry, environment, here.cloudformation(environment), hold, here.clock)
        is_left = here.registry.holds.current(environment.name) == hold
        left_behind = f"a hold that {hold.owner} left behind"
        return [Finding(environment=environment.name, found=left_behind, done=done, is_left=is_left)]
    try:
        if not here.registry.deployments.get(hold.owner, with_events=False).status.is_final:
            return []
    except DeploymentNotFoundError:
        return [
            Finding(
                environment=environment.name,
                correlation_id=hold.owner,
                found="a hold of an unknown deployment",
                done="left",
                is_left=True,
            )
        ]
    here.registry.holds.release(hold)
    return [
        Finding(environment=environment.name, correlation_id=hold.owner, found="a hold left behind", done="released")
    ]


def _mend_slot(here: Installation, environment: Environment) -> list[Finding]:
    try:
        with client() as prefect:
            done = ensure_limit(prefect, environment.slot_name) or _free_leaked(here, environment, prefect)
    except UNREACHABLE as error:
        unchecked = f"the slot could not be checked: {error}"
        return [Finding(environment=environment.name, found=unchecked, done="left", is_left=True)]
    return [Finding(environment=environment.name, found=done, done="mended")] if done else []


def _free_leaked(here: Installation, environment: Environment, prefect: SyncPrefectClient) -> str | None:
    """Prefect counts a slot up first and makes its lease then: a server killed in between leaves it taken for good."""
    if here.registry.holds.current(environment.name) or here.registry.queue.waiting(environment.name):
        return None  # the slot may be rightly taken; and who waits for it mends it
    since = slot_taken_since(prefect, environment.slot_name)
    if since is None or here.clock() - since < timedelta(seconds=SLOT_PATIENCE_SECONDS):
        return None
    free_slot(prefect, environment.slot_name)
    return f"slot {environment.slot_name} was taken by nobody"


def _owner() -> str:
    return f"{socket.gethostname()}-{os.getpid()}"
