"""`interlock rollback`: which earlier deployment is deployed again, and who is asked."""

from dataclasses import replace

import pytest

from interlock.prefect_values import FlowRun
from tests.unit.cli.conftest import Interlock
from tests.unit.cli.fake_prefect import FakePrefect


def ended(number: int, state: str, template: str, **parameters: str) -> FlowRun:
    asked = {"environment": "staging", "template": template, "parameters": parameters, "git_sha": f"sha{number}"}
    name = f"staging 20261124-06045{number}-9b92123{number}"
    return FlowRun(
        f"run-{number}", name, "COMPLETED", state, parameters={**asked, "actor": "ada", "workflow_run_id": "7"}
    )


def deployed(prefect: FakePrefect) -> dict[str, object]:
    (request,) = prefect.created
    return dict(request["parameters"])


def test_it_deploys_what_succeeded_before_the_last_one(prefect: FakePrefect, interlock: Interlock) -> None:
    prefect.ended = [ended(3, "Succeeded", "bad"), ended(2, "Succeeded", "good", Tag="2"), ended(1, "Succeeded", "old")]
    assert interlock("rollback", "staging", "--yes") == 0
    asked = deployed(prefect)
    assert (asked["template"], asked["parameters"], asked["git_sha"]) == ("good", {"Tag": "2"}, "sha2")
    assert asked["rollback_to"] == "20261124-060452-9b921232"
    assert asked["workflow_run_id"] is None


def test_the_templates_of_all_stacks_go_back_together(prefect: FakePrefect, interlock: Interlock) -> None:
    last, before = ended(2, "Succeeded", "app"), ended(1, "Succeeded", "app")
    prefect.ended = [
        replace(run, parameters={**(run.parameters or {}), "templates": {"network": text}})
        for run, text in ((last, "new"), (before, "old"))
    ]
    assert interlock("rollback", "staging", "--yes") == 0
    assert deployed(prefect)["templates"] == {"network": "old"}


def test_what_failed_and_what_was_deployed_last_are_none_to_go_back_to(
    prefect: FakePrefect, interlock: Interlock
) -> None:
    prefect.ended = [
        ended(4, "Succeeded", "same"),
        ended(3, "Rolled Back", "broken"),
        ended(2, "Succeeded", "same"),
        ended(1, "Succeeded", "other"),
    ]
    assert interlock("rollback", "staging", "--yes") == 0
    assert deployed(prefect)["template"] == "other"


def test_after_a_failure_it_is_the_last_that_succeeded(prefect: FakePrefect, interlock: Interlock) -> None:
    prefect.ended = [ended(2, "Failed", "broken"), ended(1, "Succeeded", "good")]
    assert interlock("rollback", "staging", "--yes") == 0
    assert deployed(prefect)["template"] == "good"


@pytest.mark.parametrize("runs", [[], [ended(1, "Succeeded", "only")]])
def test_without_an_earlier_good_one_it_is_an_invalid_request(
    prefect: FakePrefect, interlock: Interlock, capsys: pytest.CaptureFixture[str], runs: list[FlowRun]
) -> None:
    prefect.ended = runs
    assert interlock("rollback", "staging", "--yes") == 5
    assert "no earlier deployment" in capsys.readouterr().err
    assert prefect.created == []


def test_where_nobody_can_be_asked_it_insists_on_yes(
    prefect: FakePrefect, interlock: Interlock, capsys: pytest.CaptureFixture[str]
) -> None:
    prefect.ended = [ended(2, "Succeeded", "bad"), ended(1, "Succeeded", "good")]
    assert interlock("rollback", "staging") == 5
    told = capsys.readouterr().err
    assert "20261124-060451-9b921231" in told
    assert "--yes" in told
    assert prefect.created == []


def test_a_named_one_must_be_this_environments_and_have_gone_well(
    prefect: FakePrefect, interlock: Interlock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert interlock("rollback", "production", "--to", "20261124-060457-9b921236", "--yes") == 5
    told = capsys.readouterr().err
    assert "was a deployment of None" in told
    assert "ended as Running" in told
    assert prefect.created == []


def test_it_overrides_a_lock_when_it_is_told_to_and_never_because_the_earlier_one_did(
    prefect: FakePrefect, interlock: Interlock
) -> None:
    earlier = ended(1, "Succeeded", "good")
    assert earlier.parameters is not None
    repeated = {**earlier.parameters, "override_lock_reason": "last time"}
    prefect.ended = [ended(2, "Failed", "broken"), replace(earlier, parameters=repeated)]
    assert interlock("rollback", "staging", "--yes") == 0
    assert "override_lock_reason" not in deployed(prefect)
    prefect.created.clear()
    assert interlock("rollback", "staging", "--yes", "--override-lock", "--reason", "the login is broken") == 0
    assert deployed(prefect)["override_lock_reason"] == "the login is broken"
    assert interlock("rollback", "staging", "--yes", "--override-lock") == 5
