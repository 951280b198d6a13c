import io
from collections.abc import Callable

import pytest

from interlock.cli.display import LiveDisplay, PlainDisplay, Progress, display_for
from interlock.prefect_values import Artifact
from tests.unit.cli.fake_prefect import line, run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def ticking(*moments: float) -> Callable[[], float]:
    found = iter(moments)
    return lambda: next(found)


def test_a_terminal_gets_the_live_display_and_ci_gets_lines() -> None:
    assert isinstance(display_for(Terminal(), "staging", is_ci=False), LiveDisplay)
    assert isinstance(display_for(Terminal(), "staging", is_ci=True), PlainDisplay)
    assert isinstance(display_for(io.StringIO(), "staging", is_ci=False), PlainDisplay)


def test_every_line_of_a_plain_log_has_its_time() -> None:
    stream = io.StringIO()
    PlainDisplay(stream).log(line("first\nsecond", level=30))
    assert stream.getvalue() == "06:05:00Z  WARNING first\n06:05:00Z  second\n"


@pytest.mark.parametrize(
    ("message", "level", "logger", "is_shown"),
    [
        ("Beginning flow run 'x' for flow 'deploy'", 20, "prefect.flow_runs", False),
        ("Finished in state Completed()", 20, "prefect.task_runs", False),
        ("Opening process...", 20, "prefect.flow_runs.runner", False),
        ("Process exited with status code -9", 40, "prefect.flow_runs.runner", True),
        ("Finished in state Failed('x')", 40, "prefect.flow_runs", False),
        ("Engine execution exited with unexpected exception\nTraceback", 40, "prefect.flow_runs", False),
        ("Encountered an exception during execution: KeyError", 40, "prefect.flow_runs", True),
        ("Running hook 'close_failed' in response", 20, "prefect.flow_runs", False),
        ("Beginning of the end", 20, "prefect.flow_runs", True),
    ],
)
def test_prefects_own_chatter_is_left_out_and_its_errors_are_not(
    message: str, level: int, logger: str, *, is_shown: bool
) -> None:
    stream = io.StringIO()
    PlainDisplay(stream).log(line(message, level=level, logger=logger))
    assert (message in stream.getvalue()) is is_shown


def test_a_silent_ci_log_shows_a_sign_of_life_each_minute() -> None:
    now = 0.0
    stream = io.StringIO()
    display = PlainDisplay(stream, clock=lambda: now)
    for second in range(181):
        now = float(second)
        display.progress(Progress("2 of 5 resources", 40))
    assert [text.split("  ")[1] for text in stream.getvalue().splitlines()] == [
        "2 of 5 resources, 40 % (0 s)",
        "2 of 5 resources, 40 % (1 min)",
        "2 of 5 resources, 40 % (2 min)",
        "2 of 5 resources, 40 % (3 min)",
    ]


def test_the_live_display_leaves_the_log_and_no_status_line_behind() -> None:
    stream = Terminal()
    with LiveDisplay(stream, "staging") as display:
        display.correlation_id("20261124-060457-9b921236")
        display.log(line("[20261124-060457-9b921236] Bucket CREATE_COMPLETE [bold]not markup[/]"))
        display.progress(Progress("2 of 5 [resources]", 40))
    assert "Bucket CREATE_COMPLETE [bold]not markup[/]" in stream.getvalue()
    assert "[20261124-060457-9b921236]" not in stream.getvalue()


def test_the_time_left_is_guessed_only_from_some_progress() -> None:
    display = LiveDisplay(Terminal(), "staging", clock=ticking(0, 10, 20))
    assert display._left(0) == ""
    assert display._left(3) == ""
    assert display._left(40) == "about 30 s left"


@pytest.mark.parametrize(
    ("state", "artifact", "expected"),
    [
        ("SCHEDULED", None, Progress("waiting for a process")),
        ("PENDING", None, Progress("starting")),
        ("RUNNING", None, Progress("running")),
        ("RUNNING", Artifact("interlock-progress", 130), Progress("deploying", 100)),
        ("RUNNING", Artifact("interlock-progress", "soon", "change set"), Progress("change set")),
        ("CANCELLING", Artifact("interlock-progress", 40, "2 of 5"), Progress("cancelling", 40)),
    ],
)
def test_the_phase_is_a_word_for_people(state: str, artifact: Artifact | None, expected: Progress) -> None:
    assert Progress.of(run(state), artifact) == expected
