"""The simulated AWS as a process: starting, stopping, leaving nothing behind; faults and the request log."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from interlock.errors import StartupError
from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import Driver, client, topics

COMMAND = [sys.executable, "-m", "interlock.rehearsal.aws"]


@pytest.fixture(scope="module")
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0, rollback_seconds=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults(aws: RehearsalAws) -> Iterator[None]:
    yield
    aws.set_faults([])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_cleanly_on_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*COMMAND, "--port", "0"], env=environment, **pipes) as process:
        assert process.stdout
        assert process.stderr
        port = int(process.stdout.readline().rsplit(":", 1)[1])
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        assert process.wait(timeout=5) == 0
        assert process.stderr.read() == ""
    assert list(tmp_path.iterdir()) == []
    assert is_free(port)


def test_it_dies_with_the_process_that_started_it() -> None:
    program = (
        "import time\nfrom interlock.rehearsal.aws.process import RehearsalAws\n"
        "aws = RehearsalAws()\naws.start()\nprint(aws.pid, aws.url, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid, url = parent.stdout.readline().split()
        parent.kill()
    until = time.monotonic() + 5
    while not is_free(int(url.rsplit(":", 1)[1])):
        assert time.monotonic() < until, f"{pid} outlived its parent"
        time.sleep(0.05)


def test_a_port_in_use_is_one_paragraph(aws: RehearsalAws) -> None:
    port = aws.url.rsplit(":", 1)[1]
    ended = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "cannot listen on 127.0.0.1" in ended.stderr
    assert ended.stderr.strip().count("\n") == 0
    with pytest.raises(StartupError, match="cannot listen"):
        RehearsalAws(port=int(port)).start()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_nothing_listens_beyond_loopback(aws: RehearsalAws) -> None:
    Driver(aws).deploy("loopback", {"Resources": {"Thing": {"Type": "AWS::IoT::Thing"}}})
    client(aws, "iot").list_things()
    inodes = {str(entry.readlink()) for entry in Path(f"/proc/{aws.pid}/fd").iterdir() if entry.is_symlink()}
    addresses = {
        fields[1].split(":")[0]
        for table in ("tcp", "tcp6")
        for fields in (line.split() for line in Path(f"/proc/{aws.pid}/net/{table}").read_text().splitlines()[1:])
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes
    }
    assert addresses == {"0100007F"}


def test_the_log_tells_who_asked_what_of_which_stack(aws: RehearsalAws) -> None:
    aws.clear_log()
    Driver(aws).start("logged", topics("Topic"), token="the-token")
    (execution,) = [entry for entry in aws.log() if entry["action"] == "ExecuteChangeSet"]
    assert (execution["service"], execution["stack"], execution["token"]) == ("cloudformation", "logged", "the-token")
    assert (execution["status"], execution["fault"]) == (200, None)
    assert "Boto3" in execution["user_agent"]
    assert abs(execution["t"] - time.time()) < 10


def test_an_error_happens_as_often_as_asked(aws: RehearsalAws) -> None:
    aws.set_faults(
        [
            {
                "service": "cloudformation", "action": "Describe*", "kind": "error",
                "code": "Throttling", "message": "Rate exceeded", "status": 400, "times": 2,
            }
        ]
    )  # fmt: skip
    impatient = impatient_client(aws, "cloudformation")
    for _ in range(2):
        with pytest.raises(ClientError, match="Rate exceeded"):
            impatient.describe_stacks()
    impatient.describe_stacks()
    assert [entry["fault"] for entry in aws.log()][-3:] == ["error", "error", None]


def test_an_answer_can_be_lost_after_the_request_was_carried_out(aws: RehearsalAws) -> None:
    aws.set_faults([{"service": "dynamodb", "action": "CreateTable", "kind": "after"}])
    dynamodb = impatient_client(aws, "dynamodb")
    with pytest.raises(ClientError, match="Injected"):
        dynamodb.create_table(
            TableName="lost",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    assert "lost" in dynamodb.list_tables()["TableNames"]


@pytest.mark.parametrize("kind", ["hang", "truncate"])
def test_silence_and_cut_answers_reach_the_client_as_such(aws: RehearsalAws, kind: str) -> None:
    aws.set_faults([{"service": "cloudformation", "kind": kind}])
    with pytest.raises((BotoCoreError, httpx.HTTPError)):
        impatient_client(aws, "cloudformation").describe_stacks()


def test_a_wrong_rule_or_fault_is_refused(aws: RehearsalAws) -> None:
    with pytest.raises(ValueError, match="a rule needs"):
        aws.set_rules([{"match": "*", "Secnds": 1}])
    with pytest.raises(ValueError, match="a fault needs"):
        aws.set_faults([{"kind": "boom"}])


def test_a_reset_forgets_everything(aws: RehearsalAws) -> None:
    driver = Driver(aws)
    driver.deploy("forgotten", topics("Topic"))
    aws.set_rules([{"match": "*", "Stall": True}])
    driver.start("running", topics("Topic"))
    aws.reset()
    assert driver.cloudformation.describe_stacks()["Stacks"] == []
    assert client(aws, "sns").list_topics()["Topics"] == []
    assert driver.deploy("forgotten", topics("Topic")) == "CREATE_COMPLETE"


def impatient_client(aws: RehearsalAws, service: str) -> Any:
    return client(aws, service, Config(retries={"max_attempts": 0}, read_timeout=0.5))
