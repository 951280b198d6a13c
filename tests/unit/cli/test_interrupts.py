"""Ctrl-C and a cancelled CI job: what they do to the deployment."""

import os
import signal
from collections.abc import Mapping
from typing import Any, cast

import pytest

from interlock.cli import interrupts
from interlock.errors import AlreadyFinishedError
from interlock.prefect_api import PrefectApi
from interlock.prefect_values import FlowRun
from tests.unit.cli.conftest import Interlock
from tests.unit.cli.fake_prefect import CORRELATION_ID, FakePrefect, away, outcome, run


@pytest.fixture
def running(prefect: FakePrefect) -> FakePrefect:
    """A deployment that runs; the second look at it is interrupted."""

    def interrupted() -> FlowRun:
        os.kill(os.getpid(), signal.SIGTERM)
        return run("RUNNING")

    prefect.states = [run("RUNNING"), interrupted, run("COMPLETED", words="Succeeded")]
    return prefect


def test_an_interrupt_leaves_the_deployment_unless_told_otherwise(
    interlock: Interlock, running: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("deploy", "staging", "--template", template) == 6
    assert running.cancelled == []
    assert "The deployment goes on" in capsys.readouterr().out


def test_an_interrupt_cancels_the_deployment_when_told_so(
    interlock: Interlock, running: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("deploy", "staging", "--template", template, "--on-interrupt", "cancel") == 4
    ((cancelled, _),) = running.cancelled
    assert cancelled.endswith(CORRELATION_ID)
    assert "asked Prefect to cancel it" in capsys.readouterr().out


def test_the_signal_that_follows_the_first_does_not_stop_the_cancelling(
    interlock: Interlock, running: FakePrefect, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(cancelled: FlowRun, *, reason: str) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        running.cancelled.append((cancelled.name, reason))

    monkeypatch.setattr(running, "cancel", cancel)
    assert interlock("deploy", "staging", "--template", template, "--on-interrupt", "cancel") == 4
    assert len(running.cancelled) == 1


def test_an_interrupt_while_asking_finds_the_run_by_its_key_and_cancels_it(
    interlock: Interlock, prefect: FakePrefect, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = prefect.create_flow_run

    def interrupted(deployment_id: str, parameters: Mapping[str, Any], **how: Any) -> FlowRun:
        found = ask(deployment_id, parameters, **how)
        if len(prefect.created) == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return found

    monkeypatch.setattr(prefect, "create_flow_run", interrupted)
    assert interlock("deploy", "staging", "--template", template, "--on-interrupt", "cancel") == 4
    first, second = prefect.created
    assert first == second
    assert len(prefect.cancelled) == 1


def test_a_cancellation_that_prefect_did_not_hear_is_never_called_one(
    interlock: Interlock,
    running: FakePrefect,
    template: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def unheard(_run: FlowRun, **_how: str) -> None:
        raise away()

    monkeypatch.setattr(running, "cancel", unheard)
    assert interlock("deploy", "staging", "--template", template, "--on-interrupt", "cancel") == 6
    assert "could not be cancelled" in capsys.readouterr().out


def test_a_deployment_that_had_just_ended_is_told_as_it_ended(
    prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_late(_run: FlowRun, **_how: str) -> None:
        raise AlreadyFinishedError("The run has already ended: Succeeded.")

    monkeypatch.setattr(prefect, "cancel", too_late)
    api = cast("PrefectApi", prefect)
    prefect.found["interlock-outcome"] = outcome()
    assert interrupts.cancel(api, run("RUNNING"), "staging").status == "SUCCEEDED"
    prefect.states = [run("RUNNING")]  # set going again, by whoever sees it through
    assert interrupts.cancel(api, run("RUNNING"), "staging").status == "STILL_RUNNING"


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_correlation_id_of_a_joined_run_is_told_as_well(
    interlock: Interlock, prefect: FakePrefect, template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prefect.first = run("RUNNING", is_reused=True)
    prefect.found["interlock-outcome"] = outcome()
    interlock("deploy", "staging", "--template", template)
    assert f"Correlation id: {CORRELATION_ID}" in capsys.readouterr().out
