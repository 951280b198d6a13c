"""A check, its verdict, and how all of them are run: none waits for ever, and none stops another."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from interlock.errors import InterlockError
from interlock.notifications.escape import one_line

CHECK_SECONDS = 20.0
"""For one check. Those that look at the network have shorter timeouts of their own; this is for what has none."""
_HIDDEN = "***"


class Level(StrEnum):
    """What a verdict means. Only a problem makes the doctor end with 1."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Verdict:
    level: Level
    seen: str
    mend: str | None = None


@dataclass(frozen=True)
class Check:
    """`examine` looks and judges, and may raise. `needs` names the check without which there is nothing to look at."""

    name: str
    examine: Callable[[], Verdict]
    needs: str | None = None


@dataclass(frozen=True)
class Finding:
    name: str
    verdict: Verdict


def ok(seen: str) -> Verdict:
    return Verdict(Level.OK, seen)


def warning(seen: str, mend: str) -> Verdict:
    return Verdict(Level.WARNING, seen, mend)


def problem(seen: str, mend: str | None) -> Verdict:
    return Verdict(Level.PROBLEM, seen, mend)


def not_checked(seen: str, mend: str | None = None) -> Verdict:
    return Verdict(Level.NOT_CHECKED, seen, mend)


def ok_unless(complaints: Sequence[str], mend: str, *, seen: str) -> Verdict:
    """A problem that lists all complaints, or `seen`."""
    return problem("; ".join(complaints), mend) if complaints else ok(seen)


def examine(
    checks: Sequence[Check], *, secrets: Iterable[str] = (), timeout_seconds: float = CHECK_SECONDS
) -> list[Finding]:
    """The findings, in the order of the checks, without the secrets: errors of others may quote what they were given."""
    first = [check for check in checks if check.needs is None]
    verdicts = _at_once(first, timeout_seconds)
    failed = {name for name, verdict in verdicts.items() if verdict.level is Level.PROBLEM}
    verdicts |= {check.name: not_checked(f"{check.needs} comes first") for check in checks if check.needs in failed}
    verdicts |= _at_once([check for check in checks if check.name not in verdicts], timeout_seconds)
    hidden = [secret for secret in secrets if secret]
    return [Finding(check.name, _without(hidden, verdicts[check.name])) for check in checks]


def _at_once(checks: Sequence[Check], timeout_seconds: float) -> dict[str, Verdict]:
    """All in threads of their own, which are left behind when the time is up: the process ends without them."""
    deadline = time.monotonic() + timeout_seconds
    answers: dict[str, queue.SimpleQueue[Verdict]] = {check.name: queue.SimpleQueue() for check in checks}
    for check in checks:
        threading.Thread(target=_answer, args=(check, answers[check.name]), daemon=True).start()
    return {name: _verdict_by(deadline, answer, timeout_seconds) for name, answer in answers.items()}


def _answer(check: Check, answer: "queue.SimpleQueue[Verdict]") -> None:
    try:
        answer.put(check.examine())
    except InterlockError as error:
        answer.put(problem(error.message, error.next_step))
    except Exception as error:  # noqa: BLE001 - told as the finding: a check that fails must not stop the others
        answer.put(problem(f"the check itself failed: {type(error).__name__}: {error}", "Report this as a bug."))


def _verdict_by(deadline: float, answer: "queue.SimpleQueue[Verdict]", timeout_seconds: float) -> Verdict:
    try:
        return answer.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        return problem(f"no answer within {timeout_seconds:.0f} s", "Check the network between this machine and it.")


def _without(secrets: Sequence[str], verdict: Verdict) -> Verdict:
    return replace(verdict, seen=_clean(verdict.seen, secrets), mend=verdict.mend and _clean(verdict.mend, secrets))


def _clean(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return one_line(text)
