"""The page of one deployment in the Prefect UI."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.models.deployment import Deployment, DeploymentEvent, DeploymentStatus
from interlock.models.outcome import Outcome
from interlock.models.stack import Failure
from interlock.summary_page import summary_page

START = datetime(2026, 1, 14, 21, 54, 32, tzinfo=UTC)
CAUSE = Failure(
    logical_id="Bucket",
    resource_type="AWS::S3::Bucket",
    status="CREATE_FAILED",
    reason="logs | already exists <!channel> `x`",
    timestamp=START,
    stack_name="app",
    hint="Choose another name.",
)


def deployment(events: int = 2) -> Deployment:
    return Deployment(
        correlation_id="20260114-215432-375a1384",
        environment="production",
        stack_name="app",
        region="eu-west-1",
        status=DeploymentStatus.ROLLED_BACK,
        started_at=START,
        updated_at=START,
        asked_at=START,
        deploying_since=START + timedelta(seconds=5),
        finished_at=START + timedelta(seconds=65),
        change_counts={"Add": 3},
        github_run_url="javascript:alert(1)",
        aws_console_url="https://console.aws.amazon.com/x",
        events=tuple(DeploymentEvent(timestamp=START, event=f"EVENT_{number}") for number in range(events)),
    )


def page(events: int = 2) -> str:
    return summary_page(deployment(events), Outcome(status=DeploymentStatus.ROLLED_BACK, first_cause=CAUSE))


def test_it_says_what_happened_why_and_what_to_do_before_anything_else() -> None:
    first, *_ = page().split("Correlation id")
    assert "production: Rolled Back" in first
    assert "`Bucket`" in first
    assert "Choose another name." in first


def test_it_says_how_long_it_took_and_what_changed() -> None:
    assert "## What was to change\n\n3 add\n" in page()
    assert "- **Deployed for:** `1 min`" in page()


def test_it_lists_the_changes_that_were_announced_and_counts_the_others() -> None:
    changes: list[dict[str, str | None]] = [
        {"action": "Add", "logical_id": "A*b*", "resource_type": "AWS::SQS::Queue", "replacement": None},
        {"action": "Modify", "logical_id": "B", "resource_type": "AWS::SQS::Queue", "replacement": "True"},
    ]
    shown = summary_page(deployment(), Outcome(status=DeploymentStatus.SUCCEEDED), changes=changes)
    assert "- Add `A*b*` (`AWS::SQS::Queue`)\n- Modify `B` (`AWS::SQS::Queue`), **replaced**\n- and 1 more" in shown


@pytest.mark.parametrize(
    ("hint", "stack_status", "step"),
    [
        ("Choose another name.", "UPDATE_ROLLBACK_COMPLETE", "Choose another name."),
        (None, "UPDATE_ROLLBACK_COMPLETE", "The stack is as it was before."),
        (None, "ROLLBACK_COMPLETE", "The stack was never created:"),
    ],
)
def test_a_failure_always_says_what_to_do(hint: str | None, stack_status: str, step: str) -> None:
    cause = CAUSE.model_copy(update={"hint": hint})
    outcome = Outcome(status=DeploymentStatus.ROLLED_BACK, stack_status=stack_status, first_cause=cause)
    assert f"**What to do:** {step}" in summary_page(deployment(), outcome)


def test_while_there_is_no_outcome_it_shows_what_is_under_way_and_where_to_look() -> None:
    shown = summary_page(deployment(), None, slack_thread_url="https://example.slack.com/archives/C1/p2")
    assert shown.startswith("# 🛠️ production: under way\n")
    assert "[Slack thread](https://example.slack.com/archives/C1/p2)" in shown
    assert "## What is to change" in shown


def test_a_new_attempt_names_the_one_before() -> None:
    again = deployment().model_copy(update={"retry_of": "20260114-215400-00000000"})
    assert "- **New attempt of:** `20260114-215400-00000000`" in summary_page(
        again, Outcome(status=DeploymentStatus.SUCCEEDED)
    )


def test_text_from_outside_is_no_markup_and_no_link_of_another_scheme() -> None:
    shown = page()
    assert "`logs | already exists <!channel> 'x'`" in shown
    assert "javascript" not in shown


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ("a|b", "a\\|b"),
        ("by [me](https://x.example)", "by \\[me\\](https\\://x.example)"),
        ("www.x.example or a@x.example", "www\\.x.example or a\\@x.example"),
    ],
)
def test_an_events_details_are_plain_words(details: str, shown: str) -> None:
    events = (DeploymentEvent(timestamp=START, event="X", details=details),)
    one = deployment().model_copy(update={"events": events})
    assert f"- 21:54:32 **X.** {shown}\n" in summary_page(one, Outcome(status=DeploymentStatus.SUCCEEDED))


def test_a_long_timeline_is_cut_in_the_middle_and_says_so() -> None:
    shown = page(events=500)
    assert "**Event 0.**" in shown
    assert "**Event 499.**" in shown
    assert "**Event 250.**" not in shown
    assert "440 events in between" in shown


def test_a_resources_event_is_told_by_its_own_line_alone() -> None:
    events = (DeploymentEvent(timestamp=START, event="SQS_QUEUE_UPDATE_FAILED", details="R0 (Q) UPDATE_FAILED: no"),)
    one = deployment().model_copy(update={"events": events})
    shown = summary_page(one, Outcome(status=DeploymentStatus.SUCCEEDED))
    assert "- 21:54:32 R0 (Q) UPDATE\\_FAILED: no\n" in shown
