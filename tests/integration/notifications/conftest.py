from collections.abc import Iterator
from uuid import uuid4

import pytest

from interlock.rehearsal.slack.process import RehearsalSlack


@pytest.fixture(scope="session")
def slack_process() -> Iterator[RehearsalSlack]:
    with RehearsalSlack() as running:
        yield running


@pytest.fixture
def local_slack(slack_process: RehearsalSlack) -> RehearsalSlack:
    """One process for all; each test uses a channel of its own, and finds no faults left by another."""
    slack_process.set_faults()
    return slack_process


@pytest.fixture
def channel() -> str:
    return f"#test-{uuid4().hex}"
