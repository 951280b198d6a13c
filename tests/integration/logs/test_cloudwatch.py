"""Lines written by real processes, read back from the simulated AWS over HTTP."""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from interlock.logs.cloudwatch import CloudWatchLog, finish
from interlock.logs.courier import RETENTION_DAYS
from interlock.logs.outlets import set_up
from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.logs.insights import story
from tests.integration.rehearsal_driver import client
from tests.unit.logs.kit import ID, OURS, logger, process_about

pytestmark = pytest.mark.filterwarnings("ignore::watchtower.WatchtowerWarning")
GROUP = "/interlock/test"
STREAM = f"staging/{ID}"

WRITER = f"""
import logging, os, sys
from interlock.logs import subject
from interlock.logs.cloudwatch import CloudWatchLog, finish
from interlock.logs.outlets import set_up
from interlock.logs.subject import Subject

root = logging.getLogger()
root.setLevel(logging.INFO)
set_up(root, as_json=False, make_distant=lambda: CloudWatchLog({GROUP!r}))
subject.process_is_about(Subject({ID!r}, "staging", "shop", "run"))
root.info("the parent's\\nsecond line")
if "fork" in sys.argv:
    if os.fork() == 0:
        root.info("the child's")
        finish(root)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def running() -> Iterator[RehearsalAws]:
    with RehearsalAws() as aws:
        yield aws


@pytest.fixture
def aws(running: RehearsalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[RehearsalAws]:
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    yield running
    running.set_faults([])
    running.reset()


def read_back(aws: RehearsalAws, stream: str) -> list[dict[str, Any]]:
    events = client(aws, "logs").get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
    return [json.loads(event["message"]) for event in events]


def write(*arguments: str) -> float:
    """How long a process took that logged to CloudWatch and ended; its exit code is 0."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", WRITER, *arguments], check=True, env=dict(os.environ), timeout=60)
    return time.monotonic() - began


def test_a_processs_last_lines_are_there_when_it_has_ended(aws: RehearsalAws) -> None:
    write()
    (line,) = read_back(aws, STREAM)
    assert line["message"] == "the parent's\nsecond line"
    assert (line["correlation_id"], line["environment"], line["stack_name"]) == (ID, "staging", "shop")
    groups = client(aws, "logs").describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    assert [group["retentionInDays"] for group in groups] == [RETENTION_DAYS]


def test_a_forked_child_writes_to_the_same_stream_and_repeats_nothing(aws: RehearsalAws) -> None:
    write("fork")
    assert sorted(line["message"] for line in read_back(aws, STREAM)) == ["the child's", "the parent's\nsecond line"]


def test_the_documented_query_finds_a_deployments_lines_in_all_streams_and_no_others(aws: RehearsalAws) -> None:
    root = logger()
    set_up(root, as_json=False, make_distant=lambda: CloudWatchLog(GROUP))
    root.info("somebody else's")
    root.info("of the sweep", extra={"correlation_id": ID})
    with process_about(OURS):
        root.info("its own")
        finish(root)
    found = story(client(aws, "logs"), GROUP, ID)
    # Both within one millisecond, by which they are ordered.
    assert sorted((line["@logStream"], line["message"]) for line in found) == [
        ("interlock", "of the sweep"),
        (STREAM, "its own"),
    ]


def test_throttling_is_waited_out(aws: RehearsalAws) -> None:
    aws.set_faults(
        [{"kind": "error", "service": "logs", "action": "PutLogEvents", "code": "ThrottlingException", "times": 1}]
    )
    write()
    assert len(read_back(aws, STREAM)) == 1


@pytest.mark.usefixtures("aws")
def test_with_nobody_there_the_process_ends_in_time_and_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert write() < 12


def test_without_the_right_to_write_the_process_ends_well_and_says_so_once(
    aws: RehearsalAws, caplog: pytest.LogCaptureFixture
) -> None:
    aws.set_faults([{"kind": "error", "service": "logs", "code": "AccessDeniedException", "status": 400}])
    root = logger()
    set_up(root, as_json=False, make_distant=lambda: CloudWatchLog(GROUP, flush_seconds=1.5))
    for number in range(5):
        root.info("%d", number)
    finish(root)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert ["AccessDenied" in text for text in said] == [True, False]
    assert said[1].endswith(f"did not reach CloudWatch Logs (group {GROUP}): 5.")
