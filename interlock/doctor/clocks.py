"""Clocks: leases, expiries and tickets compare instants that different machines have read."""

from datetime import datetime, timedelta

from interlock.doctor.findings import Verdict, not_checked, ok, warning

MOST_SKEW = timedelta(seconds=5)
"""Half of the margin that a hold has between its heartbeat and its expiry; AWS itself refuses at 5 minutes."""


def compare(theirs: datetime | None, ours: datetime, *, whose: str) -> Verdict:
    """`theirs` is known to the second: half of one is the error of it."""
    if theirs is None:
        return not_checked(f"{whose} does not tell its time")
    skew = abs(theirs + timedelta(milliseconds=500) - ours)
    if skew > MOST_SKEW:
        mend = "Set the clock of this machine by NTP (chrony, systemd-timesyncd), or that of the other."
        return warning(f"this machine's clock and that of {whose} are {skew.total_seconds():.0f} s apart", mend)
    return ok(f"less than {MOST_SKEW.total_seconds():.0f} s from {whose}")
