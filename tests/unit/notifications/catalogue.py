"""Every message once, with imaginary facts: the catalogue in docs/messages.md.

`python -m tests.unit.notifications.catalogue` writes the page anew.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.notice import Notice, NoticeKind
from interlock.notifications.announcements import Announcement
from interlock.notifications.blocks import plain
from interlock.notifications.messages import Message, render

PAGE = Path(__file__).parents[3] / "docs" / "messages.md"
PICTURES = PAGE.with_name("pictures")
ASKED_AT = datetime(2026, 3, 2, 14, 5, 0, tzinfo=UTC)
HOLDER = "20260302-135512-9b1d04e7"
NEWER = "20260302-141930-c0ffee11"

_OPENING = """# Messages

What a channel is told, as the local Slack shows it. Each deployment has one message, edited in place; the rest is in its thread.
Written by `make pictures`.
"""

_STATUS = {
    NoticeKind.SUCCEEDED: DeploymentStatus.SUCCEEDED,
    NoticeKind.FAILED: DeploymentStatus.FAILED,
    NoticeKind.ROLLED_BACK: DeploymentStatus.ROLLED_BACK,
    NoticeKind.TIMED_OUT: DeploymentStatus.TIMED_OUT,
    NoticeKind.CANCELLED: DeploymentStatus.CANCELLED,
    NoticeKind.SUPERSEDED: DeploymentStatus.SUPERSEDED,
    NoticeKind.REJECTED: DeploymentStatus.REJECTED,
    NoticeKind.STARTED: DeploymentStatus.QUEUED,
    NoticeKind.QUEUED: DeploymentStatus.QUEUED,
    NoticeKind.WAITING: DeploymentStatus.QUEUED,
    NoticeKind.APPROVAL_REQUESTED: DeploymentStatus.QUEUED,
    NoticeKind.APPROVED: DeploymentStatus.QUEUED,
    NoticeKind.DENIED: DeploymentStatus.DENIED,
    NoticeKind.EXPIRED: DeploymentStatus.EXPIRED,
}

_QUEUED: dict[str, JsonValue] = {
    "holder": HOLDER,
    "holder_kind": "deployment",
    "holder_started_at": "2026-03-02T13:55:12+00:00",
    "position": 1,
    "estimate_minutes_low": 4,
    "estimate_minutes_high": 7,
    "policy": "wait",
}
_LOCK: dict[str, JsonValue] = {
    "locked_by": "grace@laptop",
    "lock_reason": "audit until Monday",
    "locked_since": "2026-03-02T09:00:00+00:00",
    "locked_until": "2026-03-09T08:00:00+00:00",
}
_LOCKED_OUT = (
    "The environment is locked by grace@laptop since 2026-03-02 09:00 UTC, until it is unlocked: audit until Monday."
)
_CAUSE: dict[str, JsonValue] = {
    "logical_id": "Service",
    "resource_type": "AWS::ECS::Service",
    "reason": "Resource handler returned message: ECS Deployment Circuit Breaker was triggered",
    "hint": "The tasks did not become healthy. Look at the stopped tasks' logs and the target group's health check.",
}
_FAILURE: dict[str, JsonValue] = {
    "error": "The following resource(s) failed to update: [Service].",
    "first_cause": _CAUSE,
    "duration_seconds": 412,
}
_CHANGES: list[JsonValue] = [
    {"action": "Add", "logical_id": "Queue", "resource_type": "AWS::SQS::Queue"},
    {"action": "Modify", "logical_id": "Service", "resource_type": "AWS::ECS::Service", "replacement": "False"},
    {"action": "Modify", "logical_id": "Database", "resource_type": "AWS::RDS::DBInstance", "replacement": "True"},
]
_ASKED: dict[str, JsonValue] = {
    "counts": {"add": 1, "modify": 1, "replace": 1},
    "changes": _CHANGES,
    "hash": "9f2b6c41d8e07a355f0e9c1b2a3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5",
    "expires_at": "2026-03-03T14:09:00+00:00",
}

SAMPLES: list[tuple[NoticeKind, dict[str, JsonValue]]] = [
    (NoticeKind.STARTED, {"actor": "ada", "git_sha": "4f2c9d1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d"}),
    (NoticeKind.QUEUED, _QUEUED),
    (NoticeKind.QUEUED, {**_QUEUED, "holder": "production-stack", "holder_kind": "foreign", "policy": "latest"}),
    (NoticeKind.WAITING, {**_QUEUED, "waited_minutes": 3}),
    (NoticeKind.DEPLOYING, {}),
    (NoticeKind.CHANGES, {"counts": {"add": 1, "modify": 1, "remove": 0, "replace": 1}, "changes": _CHANGES}),
    (
        NoticeKind.PROGRESS,
        {
            "done": 8,
            "total": 12,
            "percent": 67,
            "running": [{"logical_id": "Service", "seconds": 130}],
            "remaining_seconds_low": 120,
            "remaining_seconds_high": 240,
        },
    ),
    (
        NoticeKind.STALLED,
        {
            "severity": "warning",
            "silent_seconds": 720,
            "resources": [{"logical_id": "Service", "resource_type": "AWS::ECS::Service", "seconds": 735}],
            "diagnosis": [
                "Service: rollout IN_PROGRESS: 0 of 2 tasks run, 5 failed.",
                "5 stopped tasks: Essential container in task exited; container app exit code 1",
            ],
            "diagnosis_links": {
                "ECS service web": "https://console.aws.amazon.com/ecs/v2/clusters/shop/services/web/health"
            },
        },
    ),
    (
        NoticeKind.STALLED,
        {
            "severity": "critical",
            "silent_seconds": 3720,
            "resources": [{"logical_id": "Service", "resource_type": "AWS::ECS::Service", "seconds": 3735}],
        },
    ),
    (NoticeKind.MOVING_AGAIN, {}),
    (NoticeKind.MONITOR_GAP, {"seconds": 42}),
    (NoticeKind.DEGRADED, {"what": "the deployment registry"}),
    (NoticeKind.ADOPTED, {}),
    (
        NoticeKind.SUCCEEDED,
        {
            "duration_seconds": 318,
            "application_url": "app-1234.eu-west-1.elb.amazonaws.com",
            "outputs": {"ClusterName": "production-cluster", "QueueUrl": "https://sqs.example/1/queue"},
        },
    ),
    (NoticeKind.SUCCEEDED, {"duration_seconds": 6, "no_changes": True}),
    (NoticeKind.FAILED, _FAILURE),
    (NoticeKind.ROLLED_BACK, _FAILURE),
    (NoticeKind.TIMED_OUT, {"waited_minutes": 30}),
    (NoticeKind.CANCELLED, {"by": "ada"}),
    (NoticeKind.SUPERSEDED, {"by": NEWER}),
    (NoticeKind.REJECTED, _QUEUED),
    (
        NoticeKind.SUMMARY,
        {
            "missed": 3,
            "skipped": 11,
            "outage_minutes": 23,
            "late": [
                {"title": "Changes", "at": "2026-03-02T14:09:12+00:00"},
                {"title": "Stall warning", "at": "2026-03-02T14:21:30+00:00"},
                {"title": "Deployment Complete", "at": "2026-03-02T14:30:04+00:00"},
            ],
        },
    ),
    (NoticeKind.QUEUED, {**_QUEUED, **_LOCK, "holder": None}),
    (NoticeKind.TIMED_OUT, {"waited_minutes": 30, "locked": True, "error": _LOCKED_OUT}),
    (NoticeKind.REJECTED, {"locked": True, "error": _LOCKED_OUT}),
    (
        NoticeKind.LOCK_OVERRIDDEN,
        {**_LOCK, "by": "ada", "override_reason": "the login is broken, this rolls it back"},
    ),
    (NoticeKind.RELEASED_BY_FORCE, {"by": "grace@laptop", "release_reason": "its machine was switched off"}),
    (
        NoticeKind.RECOVERY_STARTED,
        {"by": "ada@desk", "recovery_reason": "the bucket is there again", "skipped": ["Alarm", "production-db.Proxy"]},
    ),
    (
        NoticeKind.RECOVERY_ENDED,
        {"by": "ada@desk", "is_well": True, "stack_status": "UPDATE_ROLLBACK_COMPLETE", "blocked_by": []},
    ),
    (
        NoticeKind.RECOVERY_ENDED,
        {
            "by": "ada@desk",
            "is_well": False,
            "stack_status": "UPDATE_ROLLBACK_FAILED",
            "blocked_by": ["Service (AWS::ECS::Service)"],
        },
    ),
    (NoticeKind.LOCKED, {"environment": "production", **_LOCK}),
    (
        NoticeKind.UNLOCKED,
        {"environment": "production", **_LOCK, "unlocked_by": "ada@desk", "unlock_reason": "the audit is over"},
    ),
    (
        NoticeKind.SWEPT,
        {
            "environment": "production",
            "findings": [
                {
                    "correlation_id": HOLDER,
                    "found": "IN_PROGRESS, and no sign of life of its process",
                    "done": "its operation runs: adopted by its flow run, started again",
                },
                {"correlation_id": None, "found": "slot environment-production was taken by nobody", "done": "mended"},
            ],
        },
    ),
    (NoticeKind.APPROVAL_REQUESTED, {**_ASKED, "round": 1}),
    (NoticeKind.APPROVAL_REQUESTED, {**_ASKED, "round": 2}),
    (NoticeKind.APPROVED, {"by": "grace", "reason": "Looked at the database: it is empty."}),
    (NoticeKind.DENIED, {"error": "grace denied the changes: the database must not be replaced."}),
    (NoticeKind.EXPIRED, {"error": "Nobody approved or denied the changes by 2026-03-03 14:09:00 UTC."}),
    (NoticeKind.SUMMARY, {"missed": 5, "skipped": 11, "outage_minutes": 23}),
]


def deployment(**changes: object) -> Deployment:
    made = Deployment(
        correlation_id="20260302-140500-3e7a91bc",
        environment="production",
        stack_name="production-stack",
        region="eu-west-1",
        asked_at=ASKED_AT,
        started_at=ASKED_AT,
        updated_at=ASKED_AT,
        actor="ada",
        git_sha="4f2c9d1e8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d",
        github_run_url="https://github.com/acme/shop/actions/runs/8123456789",
        flow_run_url="http://127.0.0.1:4200/runs/flow-run/0b5d2a7e-5f43-4f59-9d7a-6f4f0f4a0c11",
        aws_console_url="https://eu-west-1.console.aws.amazon.com/cloudformation/home?region=eu-west-1#/stacks/events",
    )
    return made.model_copy(update=changes)


CALLED = ("<!subteam^S012ABCDEF>",)


class Sample(NamedTuple):
    """One message of the catalogue; `name` is its picture's."""

    name: str
    message: Message


def samples() -> list[Sample]:
    kinds = [kind for kind, _ in SAMPLES]
    nth = [kinds[: at + 1].count(kind) for at, kind in enumerate(kinds)]
    named = [kind if number == 1 else f"{kind}_{number}" for kind, number in zip(kinds, nth, strict=True)]
    return [Sample(name, message(kind, facts)) for name, (kind, facts) in zip(named, SAMPLES, strict=True)]


def started() -> Message:
    return samples()[0].message


def message(kind: NoticeKind, facts: dict[str, JsonValue]) -> Message:
    if kind.is_announcement:
        return render(Announcement("production", "production-lock-3"), Notice(kind=kind, facts=facts))
    status = _STATUS.get(kind, DeploymentStatus.IN_PROGRESS)
    since = None if status is DeploymentStatus.QUEUED else ASKED_AT + timedelta(minutes=4)
    return render(deployment(status=status, deploying_since=since), Notice(kind=kind, facts=facts), CALLED)


def notices(*kinds: NoticeKind) -> list[Notice]:
    """Each with the first of its samples' facts."""
    facts = dict(reversed(SAMPLES))
    return [Notice(kind=kind, facts=facts[kind]) for kind in kinds]


def page() -> str:
    return "\n".join([_OPENING, *map(_entry, samples())])


def _entry(sample: Sample) -> str:
    rendered = sample.message
    whose = (
        "A message of its own"
        if sample.name in [kind for kind in NoticeKind if kind.is_announcement]
        else "The deployment's message"
    )
    parent = f"{whose} becomes:\n\n```text\n{plain(rendered.parent)}\n```\n"
    reply = f"In its thread{', and in the channel' if rendered.broadcast else ''}:\n\n```text\n{{}}\n```\n"
    parts = [f"## {sample.name.replace('_', ' ')}\n", f"![{sample.name}](pictures/{sample.name}.png)\n"]
    parts += ["<details><summary>In text form</summary>\n"]
    parts += [parent] if rendered.moves_parent else ["The deployment's message stays as it is.\n"]
    parts += [reply.format(plain(rendered.detail))] if rendered.detail else []
    return "\n".join([*parts, "</details>\n"])


if __name__ == "__main__":
    PAGE.write_text(page())
