"""An approval: bound to the changes, kept with who and when, over at its time."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.approvals import Approvals, is_needed, raise_if_refused
from interlock.changes_hash import changes_hash
from interlock.errors import ApprovalExpiredError, DeniedError
from interlock.models.approval import Answer, Decision
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import ApprovalRule, Environment
from interlock.models.notice import NoticeKind
from interlock.models.stack import Change, ChangeSet
from interlock.registry import Registry
from tests.unit.registry.kit import ENVIRONMENT, FrozenClock, approval, cid, claim, deployment, enqueue

ME = cid(1)
REQUIRED = Environment(
    name=ENVIRONMENT,
    stack_name="app",
    region="eu-west-1",
    approval=ApprovalRule.REQUIRED,
    approval_expires_minutes=10,
)
QUEUE = Change(action="Add", logical_id="Queue", resource_type="AWS::SQS::Queue")
TABLE = Change(
    action="Modify",
    logical_id="Table",
    resource_type="AWS::DynamoDB::Table",
    replacement="False",
    scope=("Tags", "Properties"),
)
names = st.text("abc", min_size=1, max_size=3)


def change_set(*changes: Change, arn: str = "arn:1") -> ChangeSet:
    return ChangeSet(
        arn=arn,
        name="n",
        stack_id="s",
        stack_name="app",
        status="CREATE_COMPLETE",
        execution_status="AVAILABLE",
        changes=changes,
    )


def hash_of(*changes: Change, template: str = "t", parameters: dict[str, str] | None = None, arn: str = "arn:1") -> str:
    return changes_hash(change_set(*changes, arn=arn), template_sha256=template, parameters=parameters or {})


@pytest.fixture
def asked(registry: Registry, clock: FrozenClock) -> Deployment:
    """Asked for approval at noon, for ten minutes, by a holder."""
    enqueue(registry, 1)
    claim(registry, 1)
    held = registry.deployments.get(ME)
    return Approvals(registry, REQUIRED, clock).request(held, change_set(QUEUE), hash_of(QUEUE))


def test_the_same_changes_have_one_hash_in_whatever_order_and_change_set_they_come() -> None:
    turned = TABLE.model_copy(update={"scope": ("Properties", "Tags"), "physical_id": "table-1"})
    assert hash_of(QUEUE, TABLE) == hash_of(turned, QUEUE, arn="arn:2")


@pytest.mark.parametrize(
    "update",
    [
        {"action": "Remove"},
        {"logical_id": "Other"},
        {"resource_type": "AWS::SNS::Topic"},
        {"replacement": "True"},
        {"scope": ("Tags",)},
    ],
)
def test_whatever_is_different_of_a_change_has_another_hash(update: dict[str, object]) -> None:
    assert hash_of(QUEUE, TABLE) != hash_of(QUEUE, TABLE.model_copy(update=update))


def test_a_property_that_becomes_something_else_has_another_hash_by_its_template_or_parameter() -> None:
    assert hash_of(TABLE, template="t") != hash_of(TABLE, template="u")
    assert hash_of(TABLE, parameters={"Size": "1"}) != hash_of(TABLE, parameters={"Size": "2"})


@given(st.dictionaries(names, names), st.dictionaries(names, names))
def test_parameters_have_one_hash_only_if_they_are_the_same(one: dict[str, str], other: dict[str, str]) -> None:
    assert (hash_of(QUEUE, parameters=one) == hash_of(QUEUE, parameters=other)) is (one == other)


def test_only_an_environment_that_requires_it_needs_approval() -> None:
    free = REQUIRED.model_copy(update={"approval": ApprovalRule.NONE})
    assert not is_needed(free, deployment(1), "aa")
    assert is_needed(REQUIRED, deployment(1), "aa")


@pytest.mark.parametrize(
    ("decision", "changes", "needed"),
    [(Decision.APPROVE, "aa", False), (Decision.APPROVE, "bb", True), (Decision.DENY, "aa", True), (None, "aa", True)],
)
def test_an_approval_holds_for_the_changes_that_were_approved_alone(
    decision: Decision | None, changes: str, needed: bool
) -> None:
    one = deployment(1).model_copy(update={"approval": approval(hash="aa", decision=decision)})
    assert is_needed(REQUIRED, one, changes) is needed


def test_asking_makes_it_one_that_waits_again_and_announces_the_changes(registry: Registry, asked: Deployment) -> None:
    assert (asked.status, asked.deploying_since, asked.awaits_approval) == (DeploymentStatus.QUEUED, None, True)
    assert registry.deployments.get(ME).events[-1].event == "APPROVAL_REQUESTED"
    notice = registry.outbox.rows(ME)[-1].notice
    assert notice.kind is NoticeKind.APPROVAL_REQUESTED
    assert notice.facts["counts"] == {"Add": 1}


def test_the_decision_is_kept_with_who_when_and_why_and_the_wait_for_it_is_none_in_the_queue(
    registry: Registry, asked: Deployment, clock: FrozenClock
) -> None:
    clock.advance(300)
    answer = Answer(decision=Decision.APPROVE, actor="ada", reason="Fine.")
    decided = Approvals(registry, REQUIRED, clock).decide(asked, answer, at=clock())
    assert decided.approval is not None
    assert (decided.approval.decided_by, decided.approval.decided_at, decided.approval.reason) == (
        "ada",
        clock(),
        "Fine.",
    )
    assert decided.approval_seconds == 300
    assert not decided.awaits_approval
    later = decided.model_copy(update={"deploying_since": clock() + timedelta(seconds=5)})
    assert later.queue_seconds == (later.deploying_since - later.started_at).total_seconds() - 300  # type: ignore[operator]


def test_a_decision_in_the_last_second_counts_and_one_at_the_expiry_does_not(
    registry: Registry, asked: Deployment, clock: FrozenClock
) -> None:
    answer, approvals = Answer(decision=Decision.APPROVE, actor="ada"), Approvals(registry, REQUIRED, clock)
    expiry = asked.approval.expires_at if asked.approval else clock()
    with pytest.raises(ApprovalExpiredError):
        approvals.decide(asked, answer, at=expiry)
    assert not approvals.decide(asked, answer, at=expiry - timedelta(seconds=1)).awaits_approval


def test_a_denial_ends_it_however_often_it_is_looked_at(
    registry: Registry, asked: Deployment, clock: FrozenClock
) -> None:
    answer = Answer(decision=Decision.DENY, actor="ada", reason="Not today.")
    denied = Approvals(registry, REQUIRED, clock).decide(asked, answer, at=clock())
    for one in (denied, registry.deployments.get(ME)):
        with pytest.raises(DeniedError, match="ada denied the changes: Not today"):
            raise_if_refused(one)


def test_a_decision_is_taken_once(registry: Registry, asked: Deployment, clock: FrozenClock) -> None:
    approvals = Approvals(registry, REQUIRED, clock)
    decided = approvals.decide(asked, Answer(decision=Decision.DENY, actor="ada"), at=clock())
    assert approvals.decide(decided, Answer(decision=Decision.APPROVE, actor="bob"), at=clock()) == decided


def test_an_answer_for_changes_that_are_no_longer_asked_about_is_not_taken(
    registry: Registry, asked: Deployment, clock: FrozenClock
) -> None:
    approvals = Approvals(registry, REQUIRED, clock)
    still = approvals.decide(asked, Answer(decision=Decision.APPROVE, actor="ada", hash="0000"), at=clock())
    assert still.awaits_approval
    assert still.approval is not None
    assert still.approval.round == 2
    seen = hash_of(QUEUE)[:8]
    taken = approvals.decide(still, Answer(decision=Decision.APPROVE, actor="ada", hash=seen), at=clock())
    assert not taken.awaits_approval
