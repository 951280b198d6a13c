from collections.abc import Sequence
from typing import Any, Self

import pytest

from interlock.cli.display import Progress
from interlock.cli.follow import Follower, StoppedWaitingError
from interlock.errors import PrefectUnreachableError
from interlock.prefect_values import Artifact, FlowRun, LogLine
from tests.unit.cli.fake_prefect import CORRELATION_ID, FakePrefect, away, line, run


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Shown:
    """A display that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.notices: list[str] = []
        self.steps: list[Progress] = []
        self.ids: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def log(self, line: LogLine) -> None:
        self.lines.append(line.message)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def correlation_id(self, correlation_id: str) -> None:
        self.ids.append(correlation_id)

    def progress(self, progress: Progress) -> None:
        self.steps.append(progress)


class Following:
    """A follower of a fake Prefect, with a clock of its own."""

    def __init__(self, states: Sequence[Any], *, timeout_seconds: float | None = None) -> None:
        self.prefect = FakePrefect(states=states)
        self.time = Time()
        self.shown = Shown()
        self.follower = Follower(
            self.prefect,  # type: ignore[arg-type]  # a stand-in at the edge
            self.shown,
            timeout_seconds=timeout_seconds,
            clock=self.time.read,
            sleep=self.time.sleep,
        )

    def follow(self) -> FlowRun:
        return self.follower.follow(run("SCHEDULED", name="jolly-lemur"))


def test_a_run_is_followed_to_its_final_state() -> None:
    following = Following([run("PENDING"), run("RUNNING"), run("COMPLETED")])
    assert following.follow().state_type == "COMPLETED"


def test_the_end_is_noticed_within_a_third_of_a_second_at_first() -> None:
    following = Following([run("RUNNING"), run("COMPLETED")])
    following.follow()
    assert following.time.now <= 0.31


def test_a_long_deployment_is_looked_at_less_often_but_at_least_every_second() -> None:
    following = Following([*[run("RUNNING")] * 3000, run("COMPLETED")])
    following.follow()
    assert 2000 < following.time.now <= 3000


def test_details_are_read_about_once_a_second() -> None:
    following = Following([*[run("RUNNING")] * 100, run("COMPLETED")])
    following.follow()
    assert following.time.now * 0.7 <= following.prefect.log_reads <= following.time.now + 3


def test_a_line_is_shown_once_however_often_it_is_read() -> None:
    following = Following([*[run("RUNNING")] * 20, run("COMPLETED")])
    following.prefect.lines = [line("one"), line("two"), line("two", identity="another two")]
    following.follow()
    assert following.shown.lines == ["one", "two", "two"]


def test_the_correlation_id_is_told_once_it_is_known() -> None:
    following = Following([run("RUNNING", name="jolly-lemur"), run("RUNNING"), run("RUNNING"), run("COMPLETED")])
    following.follow()
    assert following.shown.ids == [CORRELATION_ID]


def test_progress_is_the_flows_own_number_and_words() -> None:
    following = Following([run("RUNNING"), run("COMPLETED")])
    following.prefect.found["interlock-progress"] = Artifact("interlock-progress", 40.0, "2 of 5 resources")
    following.follow()
    assert following.shown.steps[0] == Progress("2 of 5 resources", 40.0)


def test_a_timeout_ends_the_wait_with_exit_code_6() -> None:
    following = Following([run("RUNNING")], timeout_seconds=60)
    with pytest.raises(StoppedWaitingError) as caught:
        following.follow()
    assert caught.value.exit_code == 6
    assert 60 <= following.time.now < 61.5


def test_a_server_that_comes_back_costs_nothing_but_two_notices() -> None:
    following = Following([run("RUNNING"), *[away()] * 100, run("RUNNING"), run("COMPLETED")])
    assert following.follow().is_final
    assert len(following.shown.notices) == 2
    assert "The deployment goes on; trying again." in following.shown.notices[0]
    assert following.shown.notices[1] == "Prefect answers again."


def test_five_minutes_of_silence_are_enough() -> None:
    following = Following([run("RUNNING"), away()])
    with pytest.raises(PrefectUnreachableError) as caught:
        following.follow()
    assert caught.value.exit_code == 7
    assert 300 <= following.time.now < 303


def test_with_a_timeout_silence_is_borne_for_as_long() -> None:
    following = Following([run("RUNNING"), *[away()] * 1000, run("COMPLETED")], timeout_seconds=1200)
    assert following.follow().is_final


def test_a_server_away_at_the_timeout_is_unreachable_not_running() -> None:
    following = Following([run("RUNNING"), away()], timeout_seconds=30)
    with pytest.raises(PrefectUnreachableError):
        following.follow()
    assert 30 <= following.time.now < 32


def test_a_run_that_nobody_begins_is_told_once() -> None:
    following = Following([*[run("SCHEDULED", words="Late")] * 200, run("RUNNING"), run("COMPLETED")])
    following.follow()
    assert [notice for notice in following.shown.notices if "interlock up" in notice] == following.shown.notices[:1]
    assert len(following.shown.notices) == 1


def test_the_last_lines_are_read_after_the_end() -> None:
    following = Following([run("COMPLETED")])
    following.follow()
    following.prefect.lines = [line("the very last")]
    following.follower.read_last_lines(patience_seconds=0)
    assert following.shown.lines == ["the very last"]
