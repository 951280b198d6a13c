"""Freeze windows: open and shut at the right instant, also where the clocks are turned; written wrongly, all is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from interlock.environments import load_environments
from interlock.errors import SettingsError
from interlock.models.freeze import FreezeWindow
from interlock.models.lock import Lock, last_to_end

BERLIN = ZoneInfo("Europe/Berlin")
WEEKEND = FreezeWindow(cron="0 16 * * FRI", hours=64, time_zone="Europe/Berlin", reason="weekend")
MICROSECOND = timedelta(microseconds=1)


def berlin(month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


def is_open(window: FreezeWindow, at: datetime) -> bool:
    return window.lock_at("production", at) is not None


@pytest.mark.parametrize(
    ("opens", "shuts"),
    [
        (berlin(2, 6, 16), berlin(2, 9, 8)),
        (berlin(3, 27, 16), berlin(3, 30, 8)),  # 63 hours: the clocks go forward on the 29th
        (berlin(10, 23, 16), berlin(10, 26, 8)),  # 65 hours: they go back on the 25th
    ],
)
def test_a_weekend_begins_and_ends_by_the_clock_on_the_wall_whatever_the_clocks_do(
    opens: datetime, shuts: datetime
) -> None:
    assert not is_open(WEEKEND, opens - MICROSECOND)
    assert is_open(WEEKEND, opens)
    assert is_open(WEEKEND, shuts - MICROSECOND)
    assert not is_open(WEEKEND, shuts)


def test_the_lock_says_since_when_until_when_and_why() -> None:
    lock = WEEKEND.lock_at("production", berlin(2, 7, 12))
    assert lock is not None
    assert (lock.since, lock.until, lock.reason) == (berlin(2, 6, 16), berlin(2, 9, 8), "weekend")
    assert "0 16 * * FRI (Europe/Berlin)" in lock.by


def test_a_start_that_the_clock_skips_comes_right_after_the_gap() -> None:
    window = FreezeWindow(cron="30 2 * * *", hours=1, time_zone="Europe/Berlin", reason="batch")
    assert not is_open(window, berlin(3, 29, 1, 59))
    assert is_open(window, berlin(3, 29, 3, 0))
    assert not is_open(window, berlin(3, 29, 4, 0))


def test_an_hour_that_the_clock_shows_twice_is_frozen_both_times() -> None:
    window = FreezeWindow(cron="0 2 * * *", hours=0.75, time_zone="Europe/Berlin", reason="batch")
    assert is_open(window, berlin(10, 25, 2, 0, fold=0))
    assert is_open(window, berlin(10, 25, 2, 44, fold=1))
    assert not is_open(window, berlin(10, 25, 2, 45, fold=1))


def test_a_start_that_the_clock_shows_as_yet_to_come_a_second_time_has_been() -> None:
    window = FreezeWindow(cron="45 2 * * *", hours=2, time_zone="Europe/Berlin", reason="batch")
    assert is_open(window, berlin(10, 25, 2, 10, fold=1))


def test_the_next_start_is_told() -> None:
    assert WEEKEND.next_start(berlin(2, 7, 12)) == berlin(2, 13, 16)


@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    days=st.sampled_from(["*", "FRI", "SAT,SUN", "MON-THU"]),
    hours=st.integers(1, 168),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    after=st.integers(0, 20 * 24 * 60),
    spring=st.booleans(),
)
def test_a_window_is_open_exactly_where_counting_forward_from_every_start_says_so(
    hour: int, minute: int, days: str, hours: int, zone: str, after: int, spring: bool
) -> None:
    window = FreezeWindow(cron=f"{minute} {hour} * * {days}", hours=hours, time_zone=zone, reason="any")
    now = datetime(2026, 3 if spring else 10, 20, tzinfo=UTC) + timedelta(minutes=after)
    starts = CronSim(window.cron, (now - timedelta(days=16)).astimezone(ZoneInfo(zone)))
    expected = False
    for start in starts:
        if start.astimezone(UTC) > now:
            break
        wall = start.replace(tzinfo=None) + timedelta(hours=hours)
        expected |= any(now < wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    assert is_open(window, now) == expected


def test_of_several_locks_the_last_to_end_counts_and_one_without_end_is_the_last() -> None:
    def lock(until: datetime | None) -> Lock:
        return Lock(environment="production", by="ada", reason="r", since=berlin(2, 1, 0), until=until)

    short, long, endless = lock(berlin(2, 2, 0)), lock(berlin(2, 3, 0)), lock(None)
    assert last_to_end(short, None, long) == long
    assert last_to_end(endless, long) == endless
    assert last_to_end(None) is None


def environments_file(tmp_path: Path, freeze: str) -> Path:
    path = tmp_path / "environments.toml"
    path.write_text(f'[environments.production]\nstack_name = "app"\nregion = "us-east-1"\nfreeze = {freeze}\n')
    return path


def test_the_environments_file_gives_windows(tmp_path: Path) -> None:
    text = '[{ cron = "0 16 * * FRI", hours = 64, time_zone = "Europe/Berlin", reason = "weekend" }]'
    assert load_environments(environments_file(tmp_path, text))["production"].freeze == (WEEKEND,)


def test_all_that_is_wrong_with_the_windows_is_told_at_once(tmp_path: Path) -> None:
    text = """[
      { cron = "0 25 * * *", hours = 0, reason = "" },
      { cron = "0 0 0 * * *", hours = 169, time_zone = "Europe/Atlantis", reason = "r" },
      { cron = "0 0 31 2 *", hours = 1, time_zone = "Europe", until = "x", reason = "r" },
    ]"""
    with pytest.raises(SettingsError) as caught:
        load_environments(environments_file(tmp_path, text))
    told = str(caught.value)
    for where in ("0.cron", "0.hours", "0.reason", "1.cron", "1.hours", "1.time_zone", "2.cron", "2.time_zone"):
        assert f"environments.production.freeze.{where}: " in told
    assert "environments.production.freeze.2.until: unknown key" in told
