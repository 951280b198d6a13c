"""A log that CloudWatch does not take harms nobody: no wait, no exception, a count at the end."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from interlock.logs.cloudwatch import CloudWatchLog, finish
from interlock.logs.courier import RETENTION_DAYS, Courier
from tests.unit.logs.kit import ID, OURS, logger, process_about

GROUP = "/interlock"
pytestmark = pytest.mark.filterwarnings("ignore::watchtower.WatchtowerWarning")
AWAY = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


class MissingError(ClientError):
    pass


class ExistsError(ClientError):
    pass


def refusal(code: str, kind: type[ClientError] = ClientError) -> ClientError:
    return kind({"Error": {"Code": code, "Message": code}}, "PutLogEvents")


class FakeLogs:
    """The service: groups, streams and what is in them. `problem` is raised by each put; `gate` holds each put up."""

    class exceptions:  # noqa: N801 - boto3's name
        ResourceNotFoundException = MissingError
        ResourceAlreadyExistsException = ExistsError

    def __init__(self) -> None:
        self.groups: dict[str, int | None] = {}
        self.streams: dict[str, list[dict[str, Any]]] = {}
        self.problem: Exception | None = None
        self.may_set_retention = True
        self.gate = threading.Event()
        self.gate.set()

    def create_log_group(self, *, logGroupName: str) -> None:  # noqa: N803 - boto3's names here and below
        if logGroupName in self.groups:
            raise refusal("ResourceAlreadyExistsException", ExistsError)
        self.groups[logGroupName] = None

    def put_retention_policy(self, *, logGroupName: str, retentionInDays: int) -> None:  # noqa: N803
        if not self.may_set_retention:
            raise refusal("AccessDeniedException")
        self.groups[logGroupName] = retentionInDays

    def create_log_stream(self, *, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        if logGroupName not in self.groups:
            raise refusal("ResourceNotFoundException", MissingError)
        self.streams[logStreamName] = []

    def put_log_events(self, *, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> dict[str, Any]:  # noqa: N803
        self.gate.wait()
        if self.problem:
            raise self.problem
        if logGroupName not in self.groups or logStreamName not in self.streams:
            raise refusal("ResourceNotFoundException", MissingError)
        self.streams[logStreamName] += logEvents
        return {}

    def messages(self, stream: str) -> list[str]:
        return [json.loads(event["message"])["message"] for event in self.streams.get(stream, [])]


@pytest.fixture
def service() -> Iterator[FakeLogs]:
    fake = FakeLogs()
    yield fake
    fake.gate.set()


Make = Callable[..., CloudWatchLog]


@pytest.fixture
def make(service: FakeLogs) -> Iterator[Make]:
    made: list[CloudWatchLog] = []

    def one(most_waiting: int = 100) -> CloudWatchLog:
        client: Any = service
        courier = Courier(GROUP, lambda: client, pause_seconds=0.01)
        handler = CloudWatchLog(GROUP, courier, most_waiting=most_waiting, flush_seconds=0.2)
        made.append(handler)
        return handler

    yield one
    service.gate.set()
    for handler in made:
        handler.close()


def test_group_and_stream_are_made_as_needed(service: FakeLogs, make: Make) -> None:
    root = logger(make())
    with process_about(OURS):
        root.info("first")
        root.info("second")
    finish(root)
    assert service.groups == {GROUP: RETENTION_DAYS}
    assert service.messages(f"staging/{ID}") == ["first", "second"]


def test_a_group_keeps_the_retention_that_its_owner_gave_it(service: FakeLogs, make: Make) -> None:
    service.groups[GROUP] = 7
    root = logger(make())
    root.info("text")
    finish(root)
    assert service.groups == {GROUP: 7}
    assert service.messages("interlock") == ["text"]


def test_retention_that_may_not_be_set_is_left(service: FakeLogs, make: Make) -> None:
    service.may_set_retention = False
    root = logger(make())
    root.info("text")
    finish(root)
    assert service.messages("interlock") == ["text"]


def test_an_outage_is_waited_out_and_loses_nothing(service: FakeLogs, make: Make) -> None:
    service.problem = AWAY
    handler = make()
    root = logger(handler)
    root.info("during it")
    handler.flush()
    service.problem = None
    root.info("after it")
    handler.flush()
    handler.close()
    assert service.messages("interlock") == ["during it", "after it"]
    assert handler.lost == 0


def test_what_cloudwatch_refuses_for_good_holds_up_nothing_after_it(service: FakeLogs, make: Make) -> None:
    service.problem = refusal("InvalidParameterException")
    handler = make()
    root = logger(handler)
    root.info("refused")
    handler.flush()
    service.problem = None
    root.info("taken")
    handler.flush()
    assert service.messages("interlock") == ["taken"]
    assert handler.lost == 1


def test_with_a_full_queue_a_line_is_dropped_at_once_and_counted(service: FakeLogs, make: Make) -> None:
    service.gate.clear()
    handler = make(most_waiting=3)
    root = logger(handler)
    root.info("taken by the sender")
    handler.flush()  # now the sender is stuck in a request
    began = time.monotonic()
    for number in range(10):
        root.info("%d", number)
    assert time.monotonic() - began < 0.2
    service.gate.set()
    finish(root)
    assert handler.lost == 7
    assert service.messages("interlock") == ["taken by the sender", "0", "1", "2"]


def test_the_end_of_a_process_waits_a_bounded_time_and_says_once_how_much_was_lost(
    service: FakeLogs, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    service.problem = AWAY
    root = logger(make())
    for number in range(5):
        root.info("%d", number)
    began = time.monotonic()
    finish(root)
    assert time.monotonic() - began < 2
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if "does not take the log" in line]) == 1
    assert said[-1] == "Lines of the log that did not reach CloudWatch Logs (group /interlock): 5."


def test_what_its_own_sending_logs_is_not_sent(service: FakeLogs, make: Make) -> None:
    handler = make()
    root = logger(handler)

    def chatter(**_: Any) -> dict[str, Any]:
        root.warning("connection pool is full")
        return {}

    service.put_log_events = chatter  # type: ignore[method-assign]
    root.info("text")
    handler.flush()
    root.info("more")
    finish(root)
    assert handler.lost == 0


def test_after_a_fork_the_child_begins_with_an_empty_queue_and_no_thread(service: FakeLogs, make: Make) -> None:
    """What Python does to each handler in a forked child."""
    service.gate.clear()
    handler = make()
    root = logger(handler)
    root.info("the parent's")
    handler._at_fork_reinit()  # type: ignore[no-untyped-call]  # watchtower's methods have no types
    service.gate.set()
    root.info("the child's")
    finish(root)
    assert "the child's" in service.messages("interlock")


def test_making_it_calls_nobody(service: FakeLogs) -> None:
    def no_client() -> Any:
        raise AssertionError("AWS was called where the deployment would wait for it")

    CloudWatchLog(GROUP, Courier(GROUP, no_client)).close()
    assert service.groups == {}
    assert logging.getLogger("watchtower").handlers == []
