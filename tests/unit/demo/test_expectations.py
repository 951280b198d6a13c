"""Each expectation of the demo fails when what it is about goes wrong, and then it alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.demo.evidence import Evidence, Seen
from deployments.demo.expectations import check
from deployments.demo.parts import BROKEN, FAILING, FAILURE, FIRST, SECOND, Part
from interlock.cli.outcome import make
from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.notice import Notice, NoticeKind

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
IDS = {FIRST: "20260101-000000-00000001", SECOND: "20260101-000000-00000002", BROKEN: "20260101-000000-00000003"}


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def seen(part: Part, last: str, *, asked: float, began: float, ended: float, **record: Any) -> Seen:
    queued = "Deployment Queued\n• Estimated completion: 1 minute\nPosition in the queue: 1 (next)"
    facts = {"holder": IDS[FIRST], "position": 1, "estimate_minutes_low": 0.1}
    deployment = Deployment(
        correlation_id=IDS[part],
        environment=part.environment,
        stack_name=part.environment,
        region="us-east-1",
        asked_at=at(asked),
        started_at=at(asked),
        updated_at=at(ended),
        deploying_since=at(began),
        finished_at=at(ended),
        **record,
    )
    return Seen(
        outcome=make(deployment.status, part.environment),
        record=deployment,
        notices=(Notice(kind=NoticeKind.QUEUED, facts=dict(facts)),),
        parents=({"ts": "1", "text": last, "edits": [{"text": "Deployment Started"}]},),
        replies=({"ts": "2", "text": queued}, {"ts": "3", "text": last}),
    )


def as_promised() -> Evidence:
    done = {"status": DeploymentStatus.SUCCEEDED, "change_counts": {"Add": 1}}
    lines = [*(f"R{number} (T) CREATE_COMPLETE" for number in range(3)), f"{FAILING} (T) CREATE_FAILED: {FAILURE}"]
    events = tuple(DeploymentEvent(timestamp=at(3), event="E", details=line) for line in lines)
    failed = {"status": DeploymentStatus.ROLLED_BACK, "stack_status": "ROLLBACK_COMPLETE", "events": events}
    first = seen(FIRST, "Deployment Complete", asked=0, began=1, ended=9, stack_status="CREATE_COMPLETE", **done)
    second = seen(SECOND, "Deployment Complete", asked=2, began=10, ended=15, stack_status="UPDATE_COMPLETE", **done)
    broken = seen(BROKEN, "Deployment Failed, Rolled Back", asked=2, began=3, ended=7, **failed)
    cause = {"first_cause": {"logical_id": FAILING, "reason": FAILURE}}
    return Evidence(
        seen={FIRST: first, SECOND: second, BROKEN: replace(broken, outcome=make("ROLLED_BACK", "staging", cause))},
        operations=({"stack": "production", "ended": 8.0}, {"stack": "production", "ended": 14.0}),
        executions=({"stack": "production", "t": 1.0}, {"stack": "production", "t": 10.0}),
        left_over=(),
    )


def with_record(part: Part, **changes: Any) -> Evidence:
    evidence = as_promised()
    found = evidence.seen[part]
    changed = replace(found, record=found.record.model_copy(update=changes))
    return replace(evidence, seen={**evidence.seen, part: changed})


def with_seen(part: Part, **changes: Any) -> Evidence:
    evidence = as_promised()
    return replace(evidence, seen={**evidence.seen, part: replace(evidence.seen[part], **changes)})


def told(**facts: Any) -> tuple[Notice, ...]:
    good = {"holder": IDS[FIRST], "position": 1, "estimate_minutes_low": 0.1}
    return (Notice(kind=NoticeKind.QUEUED, facts={**good, **facts}),)


def test_all_is_met_when_all_went_as_promised() -> None:
    assert [each.claim for each in check(as_promised()) if not each.is_met] == []


@pytest.mark.parametrize(
    ("words", "evidence"),
    [
        ("first deployment to production", with_record(FIRST, stack_status="CREATE_FAILED")),
        ("queued behind the first", with_seen(SECOND, notices=told(holder="somebody"))),
        ("its position", with_seen(SECOND, notices=told(position=2))),
        ("its position", with_seen(SECOND, notices=told(estimate_minutes_low=None))),
        ("waited until", with_record(SECOND, deploying_since=at(8.9))),
        ("waited until", with_record(SECOND, asked_at=at(9.1))),
        ("with its changes", with_record(SECOND, change_counts={})),
        ("rolled back", with_record(BROKEN, stack_status="CREATE_FAILED")),
        ("fourth resource", with_seen(BROKEN, outcome=make("ROLLED_BACK", "staging"))),
        ("fourth resource", with_record(BROKEN, events=as_promised().seen[BROKEN].record.events[1:])),
        ("ExecuteChangeSet", replace(as_promised(), operations=({"stack": "production", "ended": 10.1},) * 2)),
        ("ExecuteChangeSet", replace(as_promised(), executions=({"stack": "production", "t": 1.0},))),
        ("One Slack message", with_seen(FIRST, parents=as_promised().seen[FIRST].parents * 2)),
        ("that it started", with_seen(FIRST, parents=({"ts": "1", "text": "Deployment Complete", "edits": []},))),
        ("how it ended", with_seen(FIRST, replies=as_promised().seen[FIRST].replies[:1])),
        ("are empty", replace(as_promised(), left_over=("production is held",))),
    ],
)
def test_what_went_wrong_is_found(words: str, evidence: Evidence) -> None:
    unmet = [each.claim for each in check(evidence) if not each.is_met]
    assert len(unmet) == 1
    assert words in unmet[0]
