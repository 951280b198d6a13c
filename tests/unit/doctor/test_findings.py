"""Checks run beside each other: none stops another, none waits for ever, none gives a secret away."""

import json
import threading

from interlock.doctor.findings import Check, Finding, Level, examine, ok, problem
from interlock.errors import SettingsError


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.name: finding.verdict.level for finding in findings}


def test_findings_come_in_the_order_of_the_checks_whoever_is_first() -> None:
    second_is_done = threading.Event()

    def first() -> object:
        second_is_done.wait(5)
        return ok("slow")

    def second() -> object:
        second_is_done.set()
        return ok("fast")

    found = examine([Check("one", first), Check("two", second)])  # type: ignore[arg-type]
    assert [finding.verdict.seen for finding in found] == ["slow", "fast"]


def test_a_check_that_raises_is_a_problem_with_the_errors_own_next_step_and_the_others_go_on() -> None:
    def refuse() -> object:
        raise SettingsError("It is wrong.", next_step="Mend it.")

    def break_down() -> object:
        raise KeyError("lost")

    checks = [Check("ours", refuse), Check("bug", break_down), Check("fine", lambda: ok("yes"))]  # type: ignore[arg-type]
    ours, bug, fine = examine(checks)
    assert (ours.verdict.seen, ours.verdict.mend) == ("It is wrong.", "Mend it.")
    assert "KeyError" in bug.verdict.seen
    assert fine.verdict.level is Level.OK


def test_a_check_that_hangs_is_a_problem_when_its_time_is_up() -> None:
    ever = threading.Event()

    def hang() -> object:
        ever.wait()
        return ok("never")

    found = examine([Check("hangs", hang), Check("fine", lambda: ok("yes"))], timeout_seconds=0.05)  # type: ignore[arg-type]
    ever.set()
    assert levels(found) == {"hangs": Level.PROBLEM, "fine": Level.OK}
    assert "no answer within" in found[0].verdict.seen


def test_what_needs_a_failed_check_is_not_looked_at() -> None:
    looked = []
    dependent = Check("slots", lambda: looked.append("x") or ok("yes"), needs="server")  # type: ignore[func-returns-value]
    found = examine([Check("server", lambda: problem("away", "start it")), dependent])
    assert found[1].verdict.level is Level.NOT_CHECKED
    assert found[1].verdict.seen == "server comes first"
    assert looked == []


def test_secrets_are_taken_out_of_what_others_errors_quote() -> None:
    def quote() -> object:
        raise RuntimeError("refused xoxb-123-secret\nby Slack")

    found = examine([Check("token", quote)], secrets=["xoxb-123-secret", ""])  # type: ignore[arg-type]
    assert "xoxb" not in json.dumps(vars(found[0].verdict))
    assert "***" in found[0].verdict.seen
    assert "\n" not in found[0].verdict.seen
