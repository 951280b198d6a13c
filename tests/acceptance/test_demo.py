"""The demo as a person starts it: everything met, everything shown, nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.acceptance.leftovers import Mark

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for leftovers in /proc")

CORRELATION_ID = re.compile(r"\b\d{8}-\d{6}-[0-9a-f]{8}\b")
EXPECTATIONS = 12


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For temporary files. A short path: sockets lie there too."""
    return tmp_path_factory.mktemp("demo")


def start(mark: Mark, scratch: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "interlock.cli", "demo"],
        env={**os.environ, **mark.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A test run in the background ignores Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - one call
    )


@pytest.mark.slow
def test_the_demo_meets_its_expectations_and_leaves_nothing_behind(scratch: Path) -> None:
    mark = Mark()
    with start(mark, scratch) as demo:
        output, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, output
    assert output.count("✔ ") == EXPECTATIONS, output
    assert "✘" not in output
    assert "Traceback" not in output
    table = [line for line in output.splitlines() if CORRELATION_ID.search(line) and re.search(r"\d edits", line)]
    assert [" ".join(line.split()[:2]) for line in table[:2]] == ["production 1", "production 2"]
    assert "rolled back" in table[2]
    assert mark.processes() == []
    assert list(scratch.iterdir()) == []
    for url in re.findall(r"^(?:Prefect UI|Slack) +(http\S+)", output, flags=re.MULTILINE):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_while_it_starts_leaves_nothing_behind(
    scratch: Path, number: signal.Signals
) -> None:
    mark = Mark()
    with start(mark, scratch) as demo:
        deadline = time.monotonic() + 60
        while len(mark.processes()) < 3:
            assert demo.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        demo.send_signal(number)
        output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, output
    assert "Traceback" not in output
    assert mark.ended_within(seconds=10)  # the simulated AWS ends when its standard input does
    assert list(scratch.iterdir()) == []
