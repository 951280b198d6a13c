"""The first cause of each recorded failure, judged by reading the log."""

from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from interlock.cloudformation.failures import failures_of, failures_within, first_cause, first_cause_within
from interlock.errors import CloudFormationUnavailableError
from interlock.models.stack import StackEvent
from tests.evaluation.recordings import DATA, recordings_in
from tests.unit import recorded

STACK_ID = "arn:aws:cloudformation:eu-west-1:1:stack/app/1"
NESTED_ID = "arn:aws:cloudformation:eu-west-1:1:stack/app-db/2"
START = datetime(2026, 1, 14, tzinfo=UTC)


def line(number: int, logical_id: str, status: str, reason: str = "", **more: str) -> StackEvent:
    stack_id = more.get("stack_id", STACK_ID)
    is_own = logical_id == stack_id.split("/")[1]
    return StackEvent(
        event_id=f"{stack_id}{number}",
        timestamp=START + timedelta(seconds=number),
        stack_id=stack_id,
        stack_name=stack_id.split("/")[1],
        logical_id=logical_id,
        physical_id=more.get("physical_id", stack_id if is_own else None),
        resource_type=more.get("resource_type", "AWS::CloudFormation::Stack" if is_own else "AWS::SNS::Topic"),
        status=status,
        reason=reason or None,
    )


JUDGED = {
    # Truths by reading each log, not what the program says: (the first cause, what failed beside it, of the rollback).
    "Ec2-dev-env-setup": ("DevEnvStack", [], []),  # an output asks for an attribute that no resource has
    "MaatriSahayak": (None, [], []),  # the log begins after the failure
    "Trading-insights-app": ("EC2Role", [], []),
    "failed_auth": ("amplifyAuthUserPool4BA7F805", [], []),  # within a nested stack
    "aws-cost-guardian": (None, [], []),  # the log begins after the failure
    "20251222T2210": ("FileTrackingTable", [], []),
    "20251222T2241": ("InputBucket", [], []),
    "20251223T0349": ("FileTrackingTable", ["ManifestBucket"], []),
    "20251223T0413": (
        "FileTrackingTable",
        ["OutputBucket", "LoggingBucket", "QuarantineBucket", "ManifestBucket"],
        [],
    ),
    "20251223T0421": ("ManifestBucket", [], []),
    "cdk-0b757a41": (
        "FrontendDistributionOrigin1S3OriginAccessControl96CDF506",
        [],
        ["ReviewProcessorReviewAgentMemoryBAD64FAC"],
    ),
    "cdk-3a6727f2": (
        "FrontendDistributionOrigin1S3OriginAccessControl96CDF506",
        [],
        ["ReviewProcessorReviewAgentMemoryBAD64FAC"],
    ),
}
KINDS = {
    "Ec2-dev-env-setup": "unknown-attribute",
    "Trading-insights-app": "invalid-property",
    "failed_auth": "invalid-property",
    "20251222T2210": "already-exists",
    "20251222T2241": "bucket-notification",
    "20251223T0349": "already-exists",
    "20251223T0413": "already-exists",
    "20251223T0421": "already-exists",
    "cdk-0b757a41": "already-exists",
    "cdk-3a6727f2": "already-exists",
}
NESTED = "AWS::CloudFormation::Stack"


@recorded.needs_recordings
@pytest.mark.parametrize("log", list(JUDGED))
def test_a_recorded_failure_is_explained_as_a_reader_would(log: str) -> None:
    found = failures_of(recorded.events(log))
    cause, beside, of_rollback = JUDGED[log]
    assert (found.first_cause.logical_id if found.first_cause else None) == cause
    assert [each.logical_id for each in found.also_failed] == beside
    assert [each.logical_id for each in found.of_rollback] == of_rollback
    assert (found.first_cause.kind if found.first_cause else None) == KINDS.get(log)


@recorded.needs_recordings
def test_every_recorded_failure_has_been_judged() -> None:
    failed = [each.name for each in recordings_in(DATA / "events") if each.has_failed]
    assert [name for name in failed if not any(log in name for log in JUDGED)] == []
    assert len(failed) == len(JUDGED)


@recorded.needs_recordings
@pytest.mark.parametrize("log", ["new_deployment", "20251204T0822", "add_function_storage", "destroy_cdk"])
def test_a_log_without_a_failure_has_no_cause(log: str) -> None:
    assert first_cause(recorded.events(log)) is None


@recorded.needs_recordings
@pytest.mark.parametrize("log", [name for name, judged in JUDGED.items() if judged[0]])
def test_a_log_cut_off_at_its_beginning_names_the_cause_or_the_stack_or_nothing_but_no_bystander(log: str) -> None:
    events = recorded.events(log)
    nested = {event.logical_id for event in events if event.resource_type == NESTED}
    at_most = {JUDGED[log][0], *JUDGED[log][1], *nested, None}
    for start in range(len(events)):
        found = first_cause(events[start:])
        assert (found.logical_id if found else None) in at_most, start


def test_a_cancellation_is_never_the_cause_even_when_it_is_read_first() -> None:
    failure = first_cause(
        [
            line(1, "Other", "CREATE_FAILED", "Resource creation cancelled"),
            line(1, "Role", "CREATE_FAILED", "AccessDenied: not authorized to perform iam:CreateRole"),
            line(2, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Other, Role]."),
            line(3, "Role", "DELETE_FAILED", "in use"),
        ]
    )
    assert failure is not None
    assert (failure.logical_id, failure.status) == ("Role", "CREATE_FAILED")
    assert failure.hint is not None
    assert "permission" in failure.hint


def test_what_the_stack_itself_says_comes_before_a_failure_of_the_rollback() -> None:
    failure = first_cause(
        [
            line(1, "app", "ROLLBACK_IN_PROGRESS", "Attribute 'X' does not exist. Rollback requested by user."),
            line(2, "Bucket", "DELETE_FAILED", "The bucket is not empty"),
        ]
    )
    assert failure is not None
    assert failure.logical_id == "app"


def test_a_summary_by_the_stack_is_the_last_resort_of_an_incomplete_log() -> None:
    failure = first_cause([line(1, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [A].")])
    assert failure is not None
    assert failure.reason.endswith("[A].")


def nested_update(reason: str = "Embedded stack was not updated", **more: str) -> list[StackEvent]:
    more.setdefault("physical_id", NESTED_ID)
    return [
        line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(5, "Db", "UPDATE_FAILED", reason, resource_type=NESTED, **more),
    ]


def gateway_with(*inside: StackEvent) -> Mock:
    gateway = Mock()
    gateway.events.side_effect = lambda stack_id, *, not_before: [
        event for event in inside if event.stack_id == stack_id and event.timestamp >= not_before
    ]
    return gateway


def test_the_cause_within_a_nested_stack_is_looked_for_there() -> None:
    gateway = gateway_with(
        line(-9, "Old", "UPDATE_FAILED", "of an earlier operation", stack_id=NESTED_ID),
        line(3, "Table", "UPDATE_FAILED", "LimitExceeded", stack_id=NESTED_ID),
    )
    failure = first_cause_within(gateway, nested_update())
    assert failure is not None
    assert (failure.stack_name, failure.logical_id, failure.kind) == ("app-db", "Table", "limit-exceeded")

    gateway.events.side_effect = CloudFormationUnavailableError("Rate exceeded")
    failure = first_cause_within(gateway, nested_update())
    assert failure is not None
    assert failure.logical_id == "Db"


def test_a_nested_stack_is_followed_to_the_bottom_by_the_id_in_the_reason_if_there_is_no_other() -> None:
    deeper = NESTED_ID.replace("app-db/2", "app-db-x/3")
    gateway = gateway_with(
        line(4, "Inner", "UPDATE_FAILED", f"Embedded stack {deeper} was not", stack_id=NESTED_ID, resource_type=NESTED),
        line(3, "Key", "UPDATE_FAILED", "AccessDenied", stack_id=deeper),
    )
    failure = first_cause_within(gateway, nested_update(f"Embedded stack {NESTED_ID} was not updated", physical_id=""))
    assert failure is not None
    assert (failure.stack_name, failure.logical_id) == ("app-db-x", "Key")


def test_no_stack_is_read_when_none_that_is_nested_failed() -> None:
    gateway = gateway_with()
    failures_within(gateway, [line(1, "A", "CREATE_FAILED", "x"), line(2, "app", "ROLLBACK_IN_PROGRESS", "y")])
    failures_within(gateway, [line(2, "app", "ROLLBACK_IN_PROGRESS", "Attribute 'X' does not exist")])
    gateway.events.assert_not_called()


def test_a_rollback_that_fails_is_told_apart_from_what_it_rolls_back() -> None:
    found = failures_of(
        [
            line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
            line(2, "Service", "UPDATE_FAILED", "did not stabilize"),
            line(2, "Queue", "UPDATE_FAILED", "Resource update cancelled"),
            line(
                3, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Service, Queue]."
            ),
            line(4, "Database", "UPDATE_FAILED", "it was deleted by hand"),
            line(5, "Queue", "UPDATE_FAILED", "Rate exceeded"),
            line(6, "Queue", "UPDATE_COMPLETE"),
            line(7, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Database]."),
        ]
    )
    assert found.first_cause is not None
    assert found.first_cause.logical_id == "Service"
    assert [each.logical_id for each in found.of_rollback] == ["Database"]
    assert found.also_failed == ()


def test_what_blocks_a_rollback_within_a_nested_stack_is_found_there() -> None:
    gateway = gateway_with(
        line(2, "Table", "UPDATE_FAILED", "LimitExceeded", stack_id=NESTED_ID),
        line(3, "app-db", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s)...", stack_id=NESTED_ID),
        line(8, "Alarm", "UPDATE_FAILED", "gone", stack_id=NESTED_ID),
    )
    events = [
        *nested_update(),
        line(6, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Db]."),
        line(9, "Db", "UPDATE_FAILED", "Embedded stack", physical_id=NESTED_ID, resource_type=NESTED),
        line(10, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [Db]."),
    ]
    found = failures_within(gateway, events)
    assert found.first_cause is not None
    assert found.first_cause.logical_id == "Table"
    assert [(each.stack_name, each.logical_id) for each in found.of_rollback] == [("app-db", "Alarm")]


def test_a_failure_read_after_the_rollback_it_caused_at_the_same_moment_is_still_the_cause() -> None:
    failure = first_cause(
        [
            line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
            line(2, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [A]."),
            line(2, "A", "UPDATE_FAILED", "LimitExceeded"),
        ]
    )
    assert failure is not None
    assert (failure.logical_id, failure.reason) == ("A", "LimitExceeded")


def test_a_persons_cancellation_comes_before_the_failures_after_it() -> None:
    found = failures_of(
        [
            line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
            line(2, "A", "UPDATE_IN_PROGRESS"),
            line(3, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
            line(3, "A", "UPDATE_FAILED", "Resource update cancelled"),
            line(5, "A", "UPDATE_FAILED", "Internal Failure"),
        ]
    )
    assert found.first_cause is not None
    assert (found.first_cause.logical_id, found.first_cause.kind) == ("app", "cancelled-by-person")


def test_a_stack_that_a_stranger_deletes_while_it_is_created_says_so() -> None:
    failure = first_cause(
        [
            line(1, "app", "CREATE_IN_PROGRESS", "User Initiated"),
            line(2, "A", "CREATE_IN_PROGRESS"),
            line(3, "app", "DELETE_IN_PROGRESS", "User Initiated"),
            line(3, "A", "CREATE_FAILED", "Resource creation cancelled"),
        ]
    )
    assert failure is not None
    assert (failure.logical_id, failure.status) == ("app", "DELETE_IN_PROGRESS")


def test_the_summary_names_the_cause_when_the_others_that_it_names_were_cancelled() -> None:
    failure = first_cause(
        [
            line(2, "B", "CREATE_FAILED", "Resource creation cancelled"),
            line(3, "app", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [A, B]. Rollback ..."),
            line(4, "A", "DELETE_COMPLETE"),
        ]
    )
    assert failure is not None
    assert (failure.logical_id, failure.resource_type) == ("A", "AWS::SNS::Topic")


def test_the_tail_of_a_rollback_tells_no_cause_but_what_the_rollback_stumbled_over() -> None:
    found = failures_of(
        [
            line(4, "A", "UPDATE_COMPLETE"),
            line(5, "B", "UPDATE_FAILED", "gone"),
            line(6, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [B]."),
        ]
    )
    assert found.first_cause is None
    assert [each.logical_id for each in found.of_rollback] == ["B"]


def test_a_continued_rollback_fails_by_what_it_stumbles_over() -> None:
    failure = first_cause(
        [
            line(1, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated"),
            line(2, "A", "UPDATE_FAILED", "gone"),
            line(3, "app", "UPDATE_ROLLBACK_FAILED", "The following resource(s) failed to update: [A]."),
        ]
    )
    assert failure is not None
    assert failure.logical_id == "A"


def test_a_deletion_that_succeeded_at_the_third_attempt_did_not_fail() -> None:
    found = failures_of(
        [
            line(1, "app", "DELETE_IN_PROGRESS", "User Initiated"),
            line(2, "Group", "DELETE_FAILED", "has a dependent object"),
            line(3, "Bucket", "DELETE_FAILED", "The bucket is not empty"),
            line(4, "Group", "DELETE_IN_PROGRESS"),
            line(5, "Group", "DELETE_COMPLETE"),
            line(6, "app", "DELETE_FAILED", "The following resource(s) failed to delete: [Bucket]."),
        ]
    )
    assert found.first_cause is not None
    assert (found.first_cause.logical_id, found.first_cause.kind) == ("Bucket", "in-use")


def test_what_a_cleanup_cannot_remove_is_no_failure() -> None:
    events = [
        line(1, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        line(2, "app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        line(3, "Old", "DELETE_FAILED", "in use"),
        line(4, "app", "UPDATE_COMPLETE"),
    ]
    assert failures_of(events) == failures_of([])


def test_a_reason_that_merely_speaks_of_a_cancelled_job_is_a_cause() -> None:
    failure = first_cause(
        [line(1, "Job", "CREATE_FAILED", 'Resource handler returned message: "the job was cancelled"')]
    )
    assert failure is not None


def test_a_resource_that_a_hook_refused_is_told_with_the_hooks_own_words() -> None:
    failure = first_cause(
        [
            line(1, "Bucket", "CREATE_IN_PROGRESS", "Hook Acme::Encryption HOOK_COMPLETE_FAILED: no encryption"),
            line(2, "Bucket", "CREATE_FAILED", "The following hook(s) failed: [Acme::Encryption]"),
        ]
    )
    assert failure is not None
    assert "no encryption" in failure.reason
    assert failure.kind == "validation-hook"


def test_a_resource_that_says_itself_that_its_rollback_failed_is_no_cause() -> None:
    found = failures_of(
        [
            line(2, "A", "IMPORT_FAILED", "LimitExceeded"),
            line(3, "B", "IMPORT_ROLLBACK_FAILED", "gone"),
        ]
    )
    assert found.first_cause is not None
    assert found.first_cause.logical_id == "A"
    assert [each.logical_id for each in found.of_rollback] == ["B"]
