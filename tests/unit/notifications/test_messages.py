from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from interlock.models.deployment import DeploymentStatus
from interlock.models.notice import Notice, NoticeKind
from interlock.notifications.blocks import blocks, fallback_text, plain
from interlock.notifications.card import Card
from interlock.notifications.headlines import moves_parent
from interlock.notifications.messages import Message, plain_text, render
from interlock.rehearsal.slack.methods import call
from interlock.rehearsal.slack.workspace import Workspace
from tests.unit.notifications.catalogue import HOLDER, SAMPLES, deployment, message

HOSTILE = "<!channel> <@U123> <http://evil|click> & \x1b[2J"
CID = deployment().correlation_id
FACTS = dict(SAMPLES[::-1])
CALLED = ("<@U012ABCDEF>", "<!subteam^S012ABCDEF>")
ALARMS = (NoticeKind.FAILED, NoticeKind.ROLLED_BACK, NoticeKind.TIMED_OUT)
FOR_EVERYBODY = (
    NoticeKind.APPROVAL_REQUESTED,
    NoticeKind.LOCK_OVERRIDDEN,
    NoticeKind.RELEASED_BY_FORCE,
    NoticeKind.RECOVERY_STARTED,
    NoticeKind.RECOVERY_ENDED,
)


def cards(rendered: Message) -> list[Card]:
    return [rendered.parent, *([rendered.detail] if rendered.detail else [])]


def text_of(kind: NoticeKind, **changes: JsonValue) -> str:
    return plain_text(message(kind, {**FACTS[kind], **changes}))


def texts_in(value: Any) -> list[str]:
    """Every text of a block, wherever it is."""
    if isinstance(value, dict):
        return [
            text
            for key, item in value.items()
            for text in ([item] if key == "text" and isinstance(item, str) else texts_in(item))
        ]
    return [text for item in value for text in texts_in(item)] if isinstance(value, list) else []


OF_LOCKS = ("locked_by", "lock_reason", "locked_since", "locked_until", "override_reason", "release_reason")
OF_DEPLOYMENTS = [(kind, facts) for kind, facts in SAMPLES if not kind.is_announcement]


@pytest.mark.parametrize(("kind", "facts"), OF_DEPLOYMENTS)
def test_every_message_names_its_deployment(kind: NoticeKind, facts: dict[str, JsonValue]) -> None:
    for card in cards(message(kind, facts)):
        assert CID in fallback_text(card)
        assert any(CID in text for text in texts_in(blocks(card)))


@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if not kind.is_announcement])
def test_every_parent_names_environment_status_and_links(kind: NoticeKind) -> None:
    text = plain(message(kind, FACTS[kind]).parent)
    for expected in (
        "Environment: production",
        "Status: ",
        "Workflow: https://",
        "Prefect run: http",
        "AWS Console: https://",
    ):
        assert expected in text


def test_started() -> None:
    assert text_of(NoticeKind.STARTED).startswith(
        f"🚀 Deployment Started\nEnvironment: production\nCorrelation ID: {CID}\n"
    )


def test_queued_says_behind_whom_and_how_long() -> None:
    text = text_of(NoticeKind.QUEUED)
    assert "⏸️ Deployment Queued" in text
    assert (
        f"An active deployment is in progress:\n• Correlation ID: {HOLDER}\n• Started: 2026-03-02 13:55:12 UTC" in text
    )
    assert "• Estimated completion: 4 to 7 minutes" in text
    assert "Position in the queue: 1 (next)" in text
    assert text.endswith("Your deployment will proceed when the active deployment completes.")


def test_queued_behind_a_strangers_operation_does_not_call_it_a_deployment() -> None:
    text = text_of(NoticeKind.QUEUED, holder_kind="foreign")
    assert "An operation that Interlock did not start is in progress:" in text
    assert "active deployment" not in text


def test_progress_is_the_parents_and_has_the_id_in_its_title() -> None:
    rendered = message(NoticeKind.PROGRESS, FACTS[NoticeKind.PROGRESS])
    assert rendered.detail is None
    text = plain_text(rendered)
    assert text.startswith(f"⏳ Deployment Progress [{CID}]\n")
    assert "8 of 12 resources (67 %)" in text
    assert "Estimated remaining: 2 to 4 minutes" in text


def test_stalled_says_for_how_long_nothing_was_heard() -> None:
    assert "Deployment may be stalled - no events for 720s" in text_of(NoticeKind.STALLED)


def test_a_critical_stall_is_called_by_that_name_and_a_hint_takes_the_usual_advices_place() -> None:
    assert "🚨 Stall alarm\nEnvironment: production" in text_of(NoticeKind.STALLED, severity="critical")
    text = text_of(NoticeKind.STALLED, hint="The tasks do not start.")
    assert "What to do: The tasks do not start.\n" in text
    assert "interlock cancel" not in text


@pytest.mark.parametrize("kind", [*ALARMS, NoticeKind.STALLED])
def test_what_alarms_has_the_links_and_a_next_step(kind: NoticeKind) -> None:
    text = text_of(kind)
    for expected in ("What to do: ", "Workflow: https://", "Prefect run: http", "AWS Console: https://"):
        assert expected in text


def test_an_ending_names_the_stacks_own_status() -> None:
    ended = deployment(status=DeploymentStatus.FAILED, stack_status="UPDATE_ROLLBACK_FAILED")
    text = plain(render(ended, Notice(kind=NoticeKind.FAILED)).parent)
    assert "Status: Failed (UPDATE_ROLLBACK_FAILED)\n" in text


def test_the_large_heading_names_the_environment() -> None:
    header = blocks(message(NoticeKind.FAILED, FACTS[NoticeKind.FAILED]).parent)[0]
    assert texts_in(header) == ["❌ Deployment Failed · production"]


def test_a_telephone_that_shows_the_first_lines_of_a_failure_shows_its_error() -> None:
    rendered = message(NoticeKind.FAILED, FACTS[NoticeKind.FAILED])
    assert rendered.detail is not None
    first = fallback_text(rendered.detail).splitlines()[:4]
    assert [line.partition(":")[0] for line in first] == [
        "❌ Deployment Failed",
        "Environment",
        "Correlation ID",
        "Error",
    ]


def test_stalled_for_long_is_said_in_other_words() -> None:
    assert "Deployment is most likely stalled" in text_of(NoticeKind.STALLED, severity="critical")


def test_changes_mark_replacements_and_what_is_not_shown() -> None:
    text = text_of(NoticeKind.CHANGES, counts={"add": 30, "remove": 0})
    assert "Counts: 30 add\n" in text
    assert "• Modify Database (AWS::RDS::DBInstance) - will be REPLACED" in text
    assert "and 27 more" in text


def test_complete_has_duration_and_application_url() -> None:
    text = text_of(NoticeKind.SUCCEEDED, duration_seconds=240, application_url="http://app.example")
    assert (
        f"✅ Deployment Complete\nEnvironment: production\nCorrelation ID: {CID}\nDuration: 4 minutes (4 min)" in text
    )
    assert "Application URL: http://app.example" in text


def test_complete_takes_from_the_record_what_the_facts_do_not_say() -> None:
    one = deployment(status=DeploymentStatus.SUCCEEDED, application_url="http://app.example")
    ended = one.model_copy(update={"deploying_since": one.started_at, "finished_at": one.started_at.replace(minute=9)})
    text = plain(render(ended, Notice(kind=NoticeKind.SUCCEEDED)).parent)
    assert "Application URL: http://app.example" in text
    assert "Duration: 4 minutes (4 min)" in text


@pytest.mark.parametrize("kind", [NoticeKind.FAILED, NoticeKind.ROLLED_BACK])
def test_failed_has_error_cause_hint_and_console(kind: NoticeKind) -> None:
    text = text_of(kind)
    assert text.startswith("❌ Deployment Failed")
    assert "Error: The following resource(s) failed to update: [Service]." in text
    assert "First cause: Service (AWS::ECS::Service): Resource handler returned message" in text
    assert "What to do: The tasks did not become healthy." in text
    assert "AWS Console: https://" in text


def test_a_failure_without_an_error_text_falls_back_to_its_first_cause() -> None:
    assert "Error: Resource handler returned" in text_of(NoticeKind.FAILED, error=None)
    assert "Error: unknown" in text_of(NoticeKind.FAILED, error=None, first_cause=None)


def test_rejected_says_that_a_deployment_is_already_in_progress() -> None:
    assert "Deployment already in progress" in text_of(NoticeKind.REJECTED)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (NoticeKind.WAITING, "Waited: 3 minutes"),
        (NoticeKind.MONITOR_GAP, "not watched for 42 s"),
        (NoticeKind.DEGRADED, "Unavailable: the deployment registry."),
        (NoticeKind.DEGRADED, "risk of concurrent deployments"),
        (NoticeKind.ADOPTED, "another one took over"),
        (NoticeKind.TIMED_OUT, "It waited 30 minutes for its turn"),
        (NoticeKind.CANCELLED, "Cancelled by: ada"),
        (NoticeKind.SUPERSEDED, "A newer request took its place in the queue: 20260302-141930-c0ffee11."),
        (NoticeKind.RECOVERY_STARTED, "Skipped: Alarm, production-db.Proxy"),
        (NoticeKind.RECOVERY_ENDED, "Stack status: UPDATE_ROLLBACK_COMPLETE"),
        (NoticeKind.SUMMARY, "Slack could not be reached for about 23 minutes: 3 messages"),
        (NoticeKind.SUMMARY, "• 2026-03-02 14:21:30 UTC: Stall warning"),
        (NoticeKind.STALLED, f"or `interlock cancel {CID}`"),
        (NoticeKind.TIMED_OUT, "`interlock status production` names what holds the environment"),
    ],
)
def test_each_kind_says_what_it_is_about(kind: NoticeKind, words: str) -> None:
    assert words in text_of(kind)


def test_only_asides_leave_the_parent_alone() -> None:
    asides = {
        NoticeKind.MONITOR_GAP,
        NoticeKind.DEGRADED,
        NoticeKind.SUMMARY,
        NoticeKind.RELEASED_BY_FORCE,
        NoticeKind.RECOVERY_STARTED,
        NoticeKind.RECOVERY_ENDED,
    }
    assert {kind for kind in NoticeKind if not moves_parent(kind)} == asides


def test_a_duration_is_not_shown_before_the_end() -> None:
    one = deployment(status=DeploymentStatus.SUCCEEDED)
    ended = one.model_copy(update={"deploying_since": one.started_at, "finished_at": one.started_at})
    assert "Duration" not in plain(render(ended, Notice(kind=NoticeKind.DEPLOYING)).parent)


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_hostile_text_pings_nobody_and_forges_no_link(kind: NoticeKind) -> None:
    hostile = deployment(environment=HOSTILE, actor=HOSTILE, git_sha=HOSTILE, github_run_url=f"https://x/{HOSTILE}")
    facts: dict[str, JsonValue] = dict.fromkeys(
        ("error", "what", "by", "holder", "holder_started_at", "policy", *OF_LOCKS), HOSTILE
    )
    facts["first_cause"] = dict.fromkeys(("logical_id", "resource_type", "reason", "hint"), HOSTILE)
    facts["changes"] = facts["resources"] = facts["running"] = [facts["first_cause"]]
    facts["outputs"] = facts["counts"] = facts["diagnosis_links"] = {HOSTILE: HOSTILE}
    facts["diagnosis"] = [HOSTILE]
    for card in cards(render(hostile, Notice(kind=kind, facts=facts))):
        for text in [fallback_text(card), *texts_in(blocks(card))]:
            assert "<!" not in text
            assert "<@" not in text
            assert "<http://evil" not in text
            assert "\x1b" not in text
        assert "\x1b" not in plain(card)


@pytest.mark.parametrize(("kind", "facts"), OF_DEPLOYMENTS)
def test_people_are_called_by_an_alarm_alone_in_its_blocks_and_in_its_plain_text(
    kind: NoticeKind, facts: dict[str, JsonValue]
) -> None:
    is_alarm = kind in ALARMS or facts.get("severity") == "critical"
    rendered = render(deployment(), Notice(kind=kind, facts=facts), CALLED)
    assert rendered.broadcast is (is_alarm or kind in FOR_EVERYBODY)
    for card in cards(rendered):
        for texts in ([fallback_text(card)], texts_in(blocks(card))):
            assert sum(text.count(" ".join(CALLED)) for text in texts) == is_alarm


def test_a_message_to_a_crowd_and_of_great_length_keeps_slacks_limits() -> None:
    crowd = tuple(f"<!subteam^S{number:020}>" for number in range(10))
    facts: dict[str, JsonValue] = {"error": "&" * 50_000, "first_cause": {"reason": "<" * 50_000}}
    for card in cards(render(deployment(), Notice(kind=NoticeKind.FAILED, facts=facts), crowd)):
        assert_slack_takes(card)
        assert len(fallback_text(card)) < 4400


def test_a_long_error_keeps_slacks_limits() -> None:
    for card in cards(message(NoticeKind.FAILED, {"error": "&" * 50_000, "first_cause": {"reason": "<" * 50_000}})):
        assert_slack_takes(card)
        assert len(fallback_text(card)) < 3900


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = sorted({name for facts in FACTS.values() for name in facts} | {"first_cause", "outputs", "counts", "changes"})
inner_names = st.sampled_from(["logical_id", "resource_type", "reason", "hint", "action", "replacement", "seconds"])
parts = st.dictionaries(inner_names, json_values, max_size=4)
odd_facts = st.dictionaries(st.sampled_from(names), json_values | parts | st.lists(parts, max_size=3), max_size=8)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(list(NoticeKind)), facts=odd_facts)
def test_no_facts_are_too_odd_to_be_rendered(kind: NoticeKind, facts: dict[str, JsonValue]) -> None:
    for card in cards(render(deployment(), Notice(kind=kind, facts=facts))):
        assert_slack_takes(card)


def assert_slack_takes(card: Card) -> None:
    arguments = {"channel": "#c", "text": fallback_text(card), "blocks": blocks(card)}
    assert call(Workspace(), "chat.postMessage", arguments, "xoxb-test")["ok"]
