"""An ECS service that does not become steady: its rollout, its stopped tasks, its targets, what it says itself.

Of tasks and containers only states, reasons and exit codes are taken: never commands, overrides or environment.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from interlock.console_links import ecs_service_link
from interlock.diagnosis.aws import Answer, Aws
from interlock.diagnosis.findings import finding
from interlock.models.finding import Finding, Suspect

_EVENTS = 4
_TASKS = 10
_KINDS = 4
_ARN_PARTS = 6


def rollout(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    services = _found(suspect, aws)
    if suspect.physical_id and not services:
        yield finding(f"{suspect.logical_id}: ECS knows no such service (any more).")
    for service in services:
        for each in service.get("deployments", []):
            if each.get("status") == "PRIMARY":
                counts = f"{each.get('runningCount', 0)} of {each.get('desiredCount', 0)} tasks run"
                failed = f", {each['failedTasks']} failed" if each.get("failedTasks") else ""
                state = f"rollout {each.get('rolloutState', 'unknown')}: {counts}{failed}"
                text = f"{suspect.logical_id}: {state}. {each.get('rolloutStateReason', '')}"
                yield finding(text, _link(suspect), f"ECS service {_name(suspect)}")


def events(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    for service in _found(suspect, aws):
        for event in service.get("events", [])[:_EVENTS]:
            yield finding(f"ECS: {event.get('message', '')}")


def stopped_tasks(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    """Why tasks stopped, alike ones together, the most frequent first. ECS forgets a stopped task after an hour."""
    if not _found(suspect, aws):
        return
    where = _where(suspect)
    stopped = aws.ask(
        "ecs", "list_tasks", **where, serviceName=_name(suspect), desiredStatus="STOPPED", maxResults=_TASKS
    )
    if arns := stopped.get("taskArns"):
        tasks = aws.ask("ecs", "describe_tasks", **where, tasks=arns).get("tasks", [])
        for reason, count in Counter(_why_stopped(task) for task in tasks).most_common(_KINDS):
            yield finding(f"{count} stopped task{'s' if count != 1 else ''}: {reason}")


def target_health(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    for service in _found(suspect, aws):
        groups = {each["targetGroupArn"] for each in service.get("loadBalancers", []) if each.get("targetGroupArn")}
        for arn in sorted(groups)[:_KINDS]:
            health = aws.ask("elbv2", "describe_target_health", TargetGroupArn=arn)
            states = Counter(_health(each.get("TargetHealth", {})) for each in health["TargetHealthDescriptions"])
            told = "; ".join(f"{count} {state}" for state, count in states.most_common(_KINDS))
            yield finding(f"Target group {arn.split('/')[1]}: {told or 'no targets'}")


def _found(suspect: Suspect, aws: Aws) -> list[Answer]:
    """The service, once ECS has it."""
    if not suspect.physical_id:
        return []
    answer = aws.ask("ecs", "describe_services", **_where(suspect), services=[suspect.physical_id])
    services: list[Answer] = answer["services"]
    return services


def _where(suspect: Suspect) -> dict[str, Any]:
    cluster = _cluster(suspect)
    return {"cluster": cluster} if cluster else {}


def _cluster(suspect: Suspect) -> str | None:
    """From `arn:aws:ecs:region:account:service/cluster/name`; ids of before 2018 name none."""
    parts = (suspect.physical_id or "").split("/")
    return parts[1] if len(parts) > 2 else None  # noqa: PLR2004 - service/cluster/name


def _name(suspect: Suspect) -> str:
    return (suspect.physical_id or "").rsplit("/", 1)[-1]


def _link(suspect: Suspect) -> str | None:
    parts, cluster = (suspect.physical_id or "").split(":"), _cluster(suspect)
    return ecs_service_link(parts[3], cluster, _name(suspect)) if len(parts) >= _ARN_PARTS and cluster else None


def _why_stopped(task: Answer) -> str:
    containers = [said for each in task.get("containers", []) if (said := _why_ended(each))]
    return "; ".join([str(task.get("stoppedReason") or task.get("stopCode") or "no reason given"), *containers])


def _why_ended(container: Answer) -> str:
    exit_code, reason = container.get("exitCode"), container.get("reason")
    if not exit_code and not reason:
        return ""
    code = f" exit code {exit_code}" if exit_code is not None else ""
    return f"container {container.get('name', '')}{code}{f': {reason}' if reason else ''}"


def _health(health: Answer) -> str:
    why = health.get("Description") or health.get("Reason")
    return f"{health.get('State', 'unknown')}{f' ({why})' if why else ''}"
