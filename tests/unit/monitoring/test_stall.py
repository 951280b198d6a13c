"""What is past its limits is a stall, to the second; silence alone is none; and it is told once."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.models.past_operation import PastOperation
from interlock.models.stack import StackEvent
from interlock.monitoring.past import past_operation
from interlock.monitoring.progress import Stage, progress_of
from interlock.monitoring.stall import Stall, StallLevel, StallMemory, StallNews, limits_of, stall_of
from tests.unit.monitoring.replay import START, line

WARNING, CRITICAL = StallLevel.WARNING, StallLevel.CRITICAL
DATABASE, TOPIC, UNKNOWN = "AWS::RDS::DBInstance", "AWS::SNS::Topic", "Who::Knows::What"


def running(*kinds: str, status: str = "CREATE_IN_PROGRESS") -> list[StackEvent]:
    start = line(0, "app", "UPDATE_IN_PROGRESS", "User Initiated")
    return [start, *(line(0, f"R{number}", status, kind=kind) for number, kind in enumerate(kinds))]


def stall(
    events: Sequence[StackEvent],
    seconds: float,
    *,
    history: Sequence[PastOperation] = (),
    stall_after_minutes: float = 10,
) -> Stall | None:
    now = START + timedelta(seconds=seconds)
    progress = progress_of(events, [], now)
    return stall_of(progress, now=now, stall_after_minutes=stall_after_minutes, history=history)


def level(events: Sequence[StackEvent], seconds: float, **how: float) -> StallLevel | None:
    found = stall(events, seconds, **how)  # type: ignore[arg-type] # only stall_after_minutes is given this way
    return found.level if found else None


def took(kind: str, *seconds: float) -> list[PastOperation]:
    operations = (
        past_operation(
            [
                *running(kind),
                line(each, "R0", "CREATE_COMPLETE", kind=kind),
                line(each + 1, "app", "UPDATE_COMPLETE"),
            ]
        )
        for each in seconds
    )
    return [each for each in operations if each]


@pytest.mark.parametrize(
    ("p90", "ceiling", "warning", "critical"),
    [
        (30, None, 330, 630),  # quick: five minutes' grace, and five more
        (600, None, 900, 1800),  # 300 s more, or half as much again: the same
        (1000, None, 1500, 3000),
        (1000, 3600, 1500, 2880),  # 80 % of where AWS gives up
        (30, 200, 160, 160),
        (3400, 3600, 3400, 3400),  # what normally comes near the ceiling is normal
    ],
)
def test_the_limits_follow_the_p90_and_the_ceiling(
    p90: float, ceiling: float | None, warning: float, critical: float
) -> None:
    limits = limits_of(p90, ceiling)
    assert limits.warning_seconds == pytest.approx(warning)
    assert limits.critical_seconds == pytest.approx(critical)
    assert limits.level_of(warning - 1) is None
    assert limits.level_of(warning) is (CRITICAL if warning == critical else WARNING)
    assert limits.level_of(critical - 1) is not CRITICAL
    assert limits.level_of(critical) is CRITICAL


@given(st.floats(0.1, 1e5), st.one_of(st.none(), st.floats(1, 1e6)))
def test_no_limit_is_below_what_is_likely_and_the_critical_never_before_the_warning(
    p90: float, ceiling: float | None
) -> None:
    limits = limits_of(p90, ceiling)
    assert p90 <= limits.warning_seconds <= limits.critical_seconds


@pytest.mark.parametrize(
    ("kind", "minutes", "expected"),
    [
        (TOPIC, 5, None),
        (TOPIC, 6, WARNING),
        (TOPIC, 12, CRITICAL),
        (DATABASE, 15, None),
        (DATABASE, 40, None),
        (DATABASE, 60, WARNING),
        (DATABASE, 91, CRITICAL),
        ("AWS::ECS::Service", 20, None),
        ("AWS::ECS::Service", 30, WARNING),
        ("Custom::Migration", 14, None),
        ("Custom::Migration", 16, WARNING),
        ("Custom::Migration", 48, CRITICAL),
        ("AWS::CloudFront::Distribution", 20, None),
    ],
)
def test_a_stall_is_beyond_what_the_type_needs(kind: str, minutes: float, expected: StallLevel | None) -> None:
    assert level(running(kind), minutes * 60) is expected


def test_of_an_unknown_type_the_simple_rule_alone_decides_to_the_second() -> None:
    events = running(UNKNOWN)
    assert level(events, 599) is None
    assert level(events, 600) is WARNING
    assert level(events, 1799) is WARNING
    assert level(events, 1800) is CRITICAL
    assert level(events, 180, stall_after_minutes=3) is WARNING


def test_the_environments_patience_is_honoured_with_all_that_is_not_known_to_be_slow() -> None:
    for kind in (UNKNOWN, TOPIC, "AWS::IAM::Role"):
        assert level(running(kind), 2.9, stall_after_minutes=0.05) is None
        assert level(running(kind), 3, stall_after_minutes=0.05) is WARNING
    assert level(running(DATABASE), 900, stall_after_minutes=0.05) is None


def test_by_the_simple_rule_what_others_write_is_no_silence() -> None:
    chatter = line(500, "Other", "CREATE_IN_PROGRESS", kind=DATABASE)
    assert stall([*running(UNKNOWN), chatter], 600) is None
    found = stall([*running(UNKNOWN), chatter], 1100)
    assert found is not None
    assert [row.logical_id for row in found.overdue] == ["R0"]


def test_nothing_in_progress_for_so_long_is_a_stall_too() -> None:
    done = [*running(TOPIC), line(5, "R0", "CREATE_COMPLETE")]
    assert level(done, 604) is None
    assert level(done, 605) is WARNING


def test_what_the_stack_has_needed_before_wins_over_the_type() -> None:
    assert level(running(UNKNOWN), 1300) is WARNING
    assert stall(running(UNKNOWN), 1300, history=took(UNKNOWN, 1200, 1250, 1300, 1200)) is None
    quick = took(DATABASE, 100, 110, 90, 100)
    assert stall(running(DATABASE), 300, history=quick) is None
    assert stall(running(DATABASE), 700, history=quick) is not None


def test_a_slow_resource_does_not_excuse_another_that_hangs() -> None:
    found = stall(running(DATABASE, TOPIC), 12 * 60)
    assert found is not None
    assert [row.logical_id for row in found.overdue] == ["R1"]


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"])
@pytest.mark.parametrize("kind", [TOPIC, DATABASE, UNKNOWN, "AWS::Lambda::Function", "AWS::CloudFormation::Stack"])
def test_whatever_stands_still_is_reported_at_last_and_stays_so(kind: str, status: str) -> None:
    found = [stall(running(kind, status=status), seconds) for seconds in range(0, 12 * 3600, 60)]
    levels = ["" if each is None else each.level for each in found]
    assert levels == sorted(levels, key=("", WARNING, CRITICAL).index)
    assert levels[-1] is CRITICAL


def test_a_review_a_cleanup_and_an_end_are_no_stalls() -> None:
    cleanup = [*running(TOPIC), line(5, "app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")]
    removal = line(6, "Old", "DELETE_IN_PROGRESS", kind=DATABASE)
    for events in ([], [*cleanup, removal], [*cleanup, line(6, "app", "UPDATE_COMPLETE")]):
        assert stall(events, 9 * 3600) is None


def found(level: StallLevel, *names: str, stage: Stage = Stage.DEPLOYING) -> Stall:
    rows = progress_of([line(0, name, "CREATE_IN_PROGRESS") for name in names], [], START).resources
    return Stall(stage=stage, level=level, quiet_seconds=700, overdue=rows)


def told(*stalls: Stall | None) -> list[StallNews | None]:
    memory = StallMemory()
    return [memory.news_of(each) for each in stalls]


def test_a_stall_is_told_once_and_again_when_it_gets_critical_and_when_it_moves() -> None:
    warning, critical = found(WARNING, "A"), found(CRITICAL, "A")
    assert told(None, warning, warning, critical, critical, warning, None, None) == [
        None,
        StallNews.STALLED,
        None,
        StallNews.STALLED,
        None,
        None,
        StallNews.MOVING_AGAIN,
        None,
    ]


def test_the_rollback_has_its_own_warning() -> None:
    assert told(found(WARNING, "A"), found(WARNING, "A", stage=Stage.ROLLING_BACK)) == [StallNews.STALLED] * 2


def test_the_same_resource_is_not_warned_of_twice_and_another_is() -> None:
    again = told(found(WARNING, "A"), None, found(WARNING, "A"), None, found(WARNING, "A", "B"))
    assert again == [StallNews.STALLED, StallNews.MOVING_AGAIN, None, None, StallNews.STALLED]


def test_a_stall_in_which_nothing_runs_is_told_once() -> None:
    assert told(found(WARNING), None, found(WARNING)) == [StallNews.STALLED, StallNews.MOVING_AGAIN, None]


@given(st.lists(st.one_of(st.none(), st.builds(found, st.sampled_from(StallLevel), st.sampled_from("AB")))))
def test_no_resource_is_warned_of_twice_at_a_level_and_each_warning_is_resolved_once(
    stalls: list[Stall | None],
) -> None:
    news = told(*stalls, None)
    warned = [
        (each.level, each.overdue[0].logical_id)
        for each, said in zip(stalls, news, strict=False)
        if each and said is StallNews.STALLED
    ]
    assert len(warned) == len(set(warned))
    changes = [said for said in news if said]
    assert not changes or changes[-1] is StallNews.MOVING_AGAIN
    assert news.count(StallNews.MOVING_AGAIN) <= len(warned)
