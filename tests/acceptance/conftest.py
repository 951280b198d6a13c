"""One whole system for all acceptance tests: it takes 25 s to start. Each test file uses environments of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.rehearsal_system import EnvironmentSettings, RehearsalSystem
from deployments.rehearse.rehearse import SETTINGS
from tests.acceptance.plants import PLANTS
from tests.acceptance.tools import TOOLS, command_of

SCRIPT = [sys.executable, str(Path(__file__).with_name("team_script.py")), "{stack_name}", "{template}", "{parameters}"]

LOG_GROUP = "/interlock/acceptance"
ENVIRONMENTS: dict[str, EnvironmentSettings] = {
    "staging": {},
    "production": {},
    "rehearsal": SETTINGS,
    "endings": {"stall_after_minutes": 0.05},
    "impatient": {"max_wait_minutes": 0.1},
    "rejecting": {"queue_policy": "reject"},
    "latest": {"queue_policy": "latest"},
    "no-credentials": {"role_arn": "arn:aws:iam::123456789012:role/not-for-us"},
    "degraded": {},
    "rolling-back": {},
    "recovering": {},
    "drifting": {},
    "approvals": {"approval": "required"},
    "approvals-soon-over": {"approval": "required", "approval_expires_minutes": 0.05},
    "several": {"stacks_before": ["interlock-several-network"]},
    "action": {},
    "action-of-two": {"stacks_before": ["interlock-action-network"]},
    "role": {},
    "doctor": {},
    "locked": {},
    "logged": {},
    "locked-rejecting": {"queue_policy": "reject"},
    "frozen": {
        "max_wait_minutes": 0.05,
        "freeze": [{"cron": "* * * * *", "hours": 1, "time_zone": "Europe/Berlin", "reason": "always"}],
    },
    "taken": {},
    "crowd-a": {},
    "crowd-b": {},
    "crowd-c": {},
    "command": {"deployer": "command", "command": SCRIPT},
    "command-killed": {"deployer": "command", "command": SCRIPT},
    "command-timed": {"deployer": "command", "command": SCRIPT, "command_timeout_minutes": 0.05},
    **{name: {"deployer": "command", "command": command_of(tool)} for name, tool in TOOLS.items()},
    "ui": {},
    "ui-tried": {},
    "ui-copied": {},
    "ui-approvals": {"approval": "required"},
    "secrets": {"parameters": PLANTS.of_the_file},
}


@pytest.fixture(scope="session")
def system() -> Iterator[RehearsalSystem]:
    with RehearsalSystem(ENVIRONMENTS, settings={"INTERLOCK_LOG_GROUP": LOG_GROUP}) as running:
        yield running
