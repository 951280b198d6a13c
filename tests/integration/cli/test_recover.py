"""`interlock recover` against the simulated AWS and a registry in a file: what a person sees, and what is really done."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest

from interlock import wiring
from interlock.cli.main import main
from interlock.clock import utc_now
from interlock.cloudformation import clients
from interlock.continued_rollback import free_after_crash
from interlock.models.deployment import DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.notice import NoticeKind
from interlock.registry import Registry, open_registry
from interlock.rehearsal.aws.process import RehearsalAws
from tests.integration.rehearsal_driver import Driver, topics
from tests.unit.cli.test_registry_commands import ask, begin

BEFORE = topics(
    "Good", "Bad", "Worse", Good={"DisplayName": "old"}, Bad={"DisplayName": "old"}, Worse={"DisplayName": "old"}
)
AFTER = topics(
    "Good", "Bad", "Worse", Good={"DisplayName": "new"}, Bad={"DisplayName": "new"}, Worse={"DisplayName": "new"}
)
FAILED_BEFORE = "20261124-060000-00000001"


@pytest.fixture(scope="module")
def aws() -> Iterator[RehearsalAws]:
    with RehearsalAws(seconds=0.05, rollback_seconds=0.05) as running:
        yield running


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


class World:
    """An installation whose environment `staging` has a stack that could not be rolled back."""

    def __init__(self, aws: RehearsalAws, home: Path) -> None:
        self.aws, self.stack = aws, f"stack-{uuid.uuid4().hex[:8]}"
        table = f'[environments.staging]\nstack_name = "{self.stack}"\nregion = "us-east-1"\n'
        (home / "environments.toml").write_text(table, encoding="utf-8")
        self.environ = aws.environment() | {
            "INTERLOCK_REGISTRY": f"sqlite:///{home / 'registry.db'}",
            "INTERLOCK_ENVIRONMENTS": str(home / "environments.toml"),
        }
        self.registry: Registry = open_registry(self.environ["INTERLOCK_REGISTRY"])
        self.driver = Driver(aws)

    def get_stuck(self) -> None:
        stuck = [
            {"match": f"{self.stack}/{name}", "Fail": f"{name} is stuck", "On": ["UPDATE", "ROLLBACK"]}
            for name in ("Bad", "Worse")
        ]
        self.driver.deploy(self.stack, BEFORE)
        self.aws.set_rules(stuck)
        assert self.driver.deploy(self.stack, AFTER, "UPDATE", "second") == "UPDATE_ROLLBACK_FAILED"
        ask(self.registry, FAILED_BEFORE)
        begin(self.registry, FAILED_BEFORE)
        self.registry.deployments.record(FAILED_BEFORE, changes={"operation_token": FAILED_BEFORE})
        self.registry.deployments.finish(FAILED_BEFORE, DeploymentStatus.FAILED)
        self.registry.holds.release(self.hold())

    def hold(self) -> Any:
        return self.registry.holds.current("staging")

    def recover(self, *arguments: str) -> Done:
        """In this process: a command line each would be a dozen more."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.environ),
            patch.object(wiring, "_current", []),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(["recover", "staging", *arguments])
        return Done(code, out.getvalue(), err.getvalue())

    def continuations(self) -> list[Any]:
        kind = "CONTINUE_UPDATE_ROLLBACK"
        return [each for each in self.aws.operations() if (each["stack"], each["kind"]) == (self.stack, kind)]


@pytest.fixture
def world(aws: RehearsalAws, tmp_path: Path) -> Iterator[World]:
    aws.set_rules([])
    made = World(aws, tmp_path)
    made.get_stuck()
    yield made
    aws.set_rules([])


def test_it_shows_what_blocks_and_does_nothing_where_nobody_can_be_asked(world: World) -> None:
    done = world.recover()
    assert done.returncode == 5
    assert f"Stack {world.stack} (staging) is in UPDATE_ROLLBACK_FAILED. What blocks its rollback:" in done.stdout
    for name in ("Bad", "Worse"):
        assert f"{name} (AWS::SNS::Topic)  UPDATE_FAILED" in done.stdout
        assert f"{name} is stuck" in done.stdout
        assert f"--skip {name} skips it" in done.stdout
    assert "Good" not in done.stdout
    assert "It then differs from the" in done.stdout
    assert "--yes: needed, there is nobody to ask; to leave a resource as it is, --skip " in done.stderr
    assert world.continuations() == []
    assert world.hold() is None


def test_repaired_it_is_continued_to_its_end_and_the_environment_is_free(world: World) -> None:
    world.aws.set_rules([])
    done = world.recover("--yes", "--reason", "the topics are there again", "--actor", "ada")
    assert done.returncode == 0, done.stderr
    assert "Bad (AWS::SNS::Topic)  UPDATE_COMPLETE" in done.stdout
    assert done.stdout.rstrip().endswith("staging: the stack is in UPDATE_ROLLBACK_COMPLETE; deploy again.")
    (operation,) = world.continuations()
    assert operation["token"].startswith("recovery-")
    assert world.hold() is None


def test_it_is_in_the_audit_on_the_last_deployments_record_and_told_to_the_channel(world: World) -> None:
    world.aws.set_rules([])
    assert world.recover("--yes", "--reason", "the topics are there again", "--actor", "ada").returncode == 0
    (token,) = [each["token"] for each in world.continuations()]
    ended, started = world.registry.locks.events("staging")
    assert (started.event, started.by, started.correlation_id) == ("RECOVERY_STARTED", "ada", FAILED_BEFORE)
    assert started.details == f"{token}: the topics are there again"
    assert (ended.event, ended.details) == ("RECOVERY_ENDED", f"{token}: the stack is in UPDATE_ROLLBACK_COMPLETE")
    record = world.registry.deployments.get(FAILED_BEFORE)
    assert record.status is DeploymentStatus.FAILED
    assert [event.event for event in record.events][-2:] == ["RECOVERY_STARTED", "RECOVERY_ENDED"]
    kinds = [row.notice.kind for row in world.registry.outbox.rows(FAILED_BEFORE)]
    assert kinds[-2:] == [NoticeKind.RECOVERY_STARTED, NoticeKind.RECOVERY_ENDED]


def test_only_what_is_named_is_skipped_and_what_fails_again_is_shown(world: World) -> None:
    done = world.recover("--yes", "--skip", "Bad", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["status"], told["exit_code"], told["skipped"]) == ("FAILED", 1, ["Bad"])
    assert told["stack_status"] == "UPDATE_ROLLBACK_FAILED"
    assert [(each["name"], each["reason"]) for each in told["blocking"]] == [("Worse", "Worse is stuck")]
    assert "the rollback failed again" in done.stderr
    last = world.recover("--yes", "--skip", "Worse", "--json")
    assert last.returncode == 0
    assert json.loads(last.stdout) | {"recovery_id": ""} == {
        "environment": "staging",
        "status": "RECOVERED",
        "exit_code": 0,
        "reason": None,
        "recovery_id": "",
        "stack_name": world.stack,
        "stack_status": "UPDATE_ROLLBACK_COMPLETE",
        "skipped": ["Worse"],
        "blocking": [],
    }
    assert world.hold() is None


@pytest.mark.parametrize("name", ["Good", "Nowhere"])
def test_a_name_that_does_not_block_is_refused(world: World, name: str) -> None:
    done = world.recover("--yes", "--skip", name)
    assert done.returncode == 5
    assert f"--skip {name}: does not block; may be skipped: " in done.stderr
    assert world.continuations() == []


def test_a_stack_in_another_status_is_refused_with_what_to_do(world: World) -> None:
    world.aws.set_rules([])
    assert world.recover("--yes").returncode == 0
    again = world.recover("--yes", "--json")
    assert again.returncode == 5
    assert "UPDATE_ROLLBACK_COMPLETE: it has no failed rollback to continue" in json.loads(again.stdout)["reason"]
    assert "A deployment can start from there." in again.stderr
    assert len(world.continuations()) == 1


def test_promise_1_beside_a_deployment_it_does_nothing(world: World) -> None:
    active = "20261124-060100-00000002"
    ask(world.registry, active)
    begin(world.registry, active)
    done = world.recover("--yes")
    assert done.returncode == 2
    assert f"{active} has the environment" in done.stderr
    assert world.continuations() == []
    assert world.hold().owner == active


def test_promise_1_beside_another_recovery_it_does_nothing(world: World, stalled: Callable[[], Any]) -> None:
    first = stalled()
    done = world.recover("--yes")
    assert done.returncode == 2
    assert len(world.continuations()) == 1
    world.aws.set_rules([])
    assert first.wait(timeout=30) == 0


def test_promise_9_killed_in_between_it_leaves_a_hold_that_is_freed_when_the_operation_has_ended(
    world: World, stalled: Callable[[], Any]
) -> None:
    first = stalled()
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    left = world.hold()
    assert left.is_of_recovery
    environment = Environment(name="staging", stack_name=world.stack, region="us-east-1")
    with patch.dict(os.environ, world.environ):
        gateway = clients.cloudformation(environment)

    def free() -> str:
        return free_after_crash(world.registry, environment, gateway, left, utc_now)

    assert free() == "its operation runs, and is waited for"
    assert world.hold() == left
    world.aws.set_rules([])
    assert world.driver.finish(world.stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert free() == "released; the stack is in UPDATE_ROLLBACK_COMPLETE"
    assert world.hold() is None
    assert world.registry.locks.events("staging")[0].event == "RECOVERY_ENDED"


def test_interrupted_it_says_that_the_operation_goes_on(world: World, stalled: Callable[[], Any]) -> None:
    first = stalled()
    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=20) == 6
    assert "An operation that has begun goes on" in first.stderr.read()
    assert world.hold().is_live(utc_now() + timedelta(seconds=20))


@pytest.mark.parametrize("kind", ["after", "truncate"])
def test_applied_though_its_answer_was_lost_it_is_followed_and_not_repeated(world: World, kind: str) -> None:
    world.aws.set_rules([])
    world.aws.set_faults([{"service": "cloudformation", "action": "ContinueUpdateRollback", "kind": kind, "times": 1}])
    assert world.recover("--yes").returncode == 0
    assert len(world.continuations()) == 1


def test_refused_by_aws_the_environment_is_free_at_once_and_it_is_on_record(world: World) -> None:
    fault = {"service": "cloudformation", "action": "ContinueUpdateRollback", "kind": "error", "times": -1}
    world.aws.set_faults([fault | {"code": "AccessDenied", "message": "not for you", "status": 403}])
    done = world.recover("--yes")
    world.aws.set_faults([])
    assert done.returncode == 1
    assert "cloudformation:ContinueUpdateRollback" in done.stderr
    assert world.hold() is None
    assert "was not carried out: not for you" in world.registry.locks.events("staging")[0].details


def test_the_words_of_aws_are_withheld_where_a_deployment_had_secrets(world: World) -> None:
    world.registry.deployments.record(FAILED_BEFORE, changes={"has_secrets": True})
    done = world.recover()
    assert "Bad (AWS::SNS::Topic)  UPDATE_FAILED" in done.stdout
    assert "is stuck" not in done.stdout + done.stderr
    assert "it may quote a secret" in done.stdout


@pytest.fixture
def stalled(world: World) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """A recovery that has begun, and does not come to its end."""
    started: list[subprocess.Popen[str]] = []

    def start() -> "subprocess.Popen[str]":
        world.aws.set_rules([{"match": f"{world.stack}/Bad", "Stall": True, "On": ["ROLLBACK"]}])
        command = [sys.executable, "-m", "interlock.cli", "recover", "staging", "--yes"]
        started.append(
            subprocess.Popen(
                command, env=os.environ | world.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        until = time.monotonic() + 30
        while not world.continuations():
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(1)  # it follows by now
        return started[0]

    yield start
    for process in started:
        process.kill()
        process.wait()
