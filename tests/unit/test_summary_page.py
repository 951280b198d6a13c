"""The page of one deployment in the Prefect UI."""

from datetime import UTC, datetime, timedelta

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
    assert "| `Changes` | `add 3` |" in page()
    assert "| `Deployed for` | `1 min` |" in page()


def test_text_from_outside_is_no_markup_and_no_link_of_another_scheme() -> None:
    shown = page()
    assert "`logs | already exists <!channel> 'x'`" in shown
    assert "javascript" not in shown


def test_a_pipe_in_a_cell_does_not_make_another_column() -> None:
    events = (DeploymentEvent(timestamp=START, event="X", details="a|b"),)
    one = deployment().model_copy(update={"events": events})
    assert "`a\\|b`" in summary_page(one, Outcome(status=DeploymentStatus.SUCCEEDED))


def test_a_long_timeline_is_cut_in_the_middle_and_says_so() -> None:
    shown = page(events=500)
    assert "EVENT_0`" in shown
    assert "EVENT_499`" in shown
    assert "EVENT_250`" not in shown
    assert "440 events in between" in shown
