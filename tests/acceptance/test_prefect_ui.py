"""The Prefect UI as the place to look: a person finds a deployment, reads it, asks for one, tries again, approves.

Each page is kept as a picture: in pytest's directory, or where `PICTURES` says: three of them are in docs/pictures.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect

from deployments.rehearsal_system import RehearsalSystem
from interlock.errors import StartupError
from interlock.models.deployment import Deployment, DeploymentStatus
from tests.acceptance.asking import Asked, ask, chain
from tests.acceptance.prefect_pages import PrefectPages, prefect_pages
from tests.pictures.chromium import find_chromium

CI_RUN = "https://github.com/acme/shop/actions/runs/42"
CONSOLE = "https://console.aws.amazon.com/cloudformation/home?region=us-east-1#/stacks/stackinfo?stackId=interlock-"
CAUSE = "The queue's policy is not valid."


@pytest.fixture(scope="module")
def pages(system: RehearsalSystem, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectPages]:
    try:
        chromium = find_chromium()
    except StartupError as error:
        pytest.skip(str(error))
    pictures = Path(os.environ.get("PICTURES") or tmp_path_factory.mktemp("pictures"))
    with prefect_pages(chromium, system.ui_url, pictures) as pages:
        yield pages


def test_a_custom_run_from_the_form_deploys_and_its_page_tells_all(
    system: RehearsalSystem, pages: PrefectPages
) -> None:
    page = pages.page
    page.goto(f"{system.ui_url}/deployments")
    page.get_by_placeholder("Search deployments").fill("ui")
    page.get_by_role("link", name="ui", exact=True).click()
    _open_form(pages)
    expect(pages.field("environment").locator("textarea")).to_have_value("ui")
    pages.fill("template", _template())
    pages.picture("custom-run", pages.field("template"))
    with _asked_in_the_browser(system, "ui") as asked:
        pages.submit()
    (deployment,) = asked
    assert deployment.status is DeploymentStatus.SUCCEEDED
    name = f"ui {deployment.correlation_id}"

    pages.open_runs(name)
    row = pages.row(name)
    for text in ("Succeeded", "environment:ui", "interlock", deployment.correlation_id):
        expect(row.get_by_text(text, exact=True)).to_be_visible()
    pages.picture("runs", row)
    row.get_by_role("link", name=name, exact=True).click()
    expect(pages.state("Succeeded")).to_be_visible()
    expect(page.get_by_text("CloudFormation is carrying out the change set.")).to_be_visible()
    pages.picture("run")

    pages.tab("Task Runs").click()
    for task in ("record the request", "make the change set", "deploy the stack", "record the outcome"):
        expect(page.get_by_role("link", name=task, exact=True)).to_be_visible()
    pages.picture("tasks", page.get_by_role("link", name="deploy the stack", exact=True))
    pages.tab("Subflow Runs").click()
    monitor = page.get_by_role("link", name=f"{deployment.correlation_id} of ui", exact=True)
    pages.picture("monitor", monitor)

    pages.tab("Artifacts").click()
    for key in ("interlock-summary", "interlock-progress", "interlock-resources"):
        expect(pages.cards(key)).to_have_count(1)
    expect(page.get_by_text("interlock-outcome")).to_have_count(0)
    pages.picture("artifacts", pages.cards("interlock-resources"))
    _open_card(pages, deployment, "interlock-resources")
    pages.picture("resources", page.get_by_text("done").first)
    _open_card(pages, deployment, "interlock-progress")
    pages.picture("progress", page.get_by_text("100%").first)
    _open_card(pages, deployment, "interlock-summary")
    summary = page.locator(".artifact-data-markdown")
    for text in ("ui: Succeeded", "What changed", "Timeline", "Deployment succeeded", "ApplicationUrl"):
        expect(summary).to_contain_text(text)
    expect(summary.get_by_role("link", name="Application", exact=True)).to_have_attribute("href", "http://shop.example")
    expect(summary.get_by_role("link", name="Stack in the AWS console")).to_have_attribute("href", f"{CONSOLE}ui")
    pages.picture("summary")


def test_a_failed_run_says_why_and_what_to_do_and_retry_is_a_new_attempt_of_the_same_request(
    system: RehearsalSystem, pages: PrefectPages
) -> None:
    page = pages.page
    system.aws.set_rules([{"match": "interlock-ui-tried/R1", "Fail": CAUSE}])
    asked = ask(system.api_url, "ui-tried", _template(), actor="ada", github_run_url=CI_RUN)
    asked.wait()
    system.aws.set_rules([])
    first = system.registry.deployments.get(asked.correlation_id())

    pages.open_run(asked.flow_run_id)
    expect(pages.state("Rolled Back")).to_be_visible()
    told = page.get_by_text(f"R1 (AWS::SQS::Queue) failed first: {CAUSE}")
    expect(told.first).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
    pages.picture("failed")
    pages.picture("failed-log", told.last)
    _open_card(pages, first, "interlock-summary")
    summary = page.locator(".artifact-data-markdown")
    for text in (
        "ui-tried: Rolled Back",
        f"First cause: R1 (AWS::SQS::Queue): {CAUSE}",
        "What to do:",
        "Asked for by: ada",
    ):
        expect(summary).to_contain_text(text)
    expect(summary.get_by_role("link", name="CI run")).to_have_attribute("href", CI_RUN)
    expect(summary.get_by_role("link", name="Slack thread")).to_have_attribute(
        "href", re.compile(r"/#[\w-]+/\d+\.\d+$")
    )
    pages.picture("failed-summary")

    pages.open_run(asked.flow_run_id)
    pages.button("Retry").click()
    pages.picture("retry", page.get_by_role("dialog"))
    with _asked_in_the_browser(system, "ui-tried") as tried:
        page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True).click()
    (second,) = tried
    assert second.status is DeploymentStatus.SUCCEEDED
    assert (second.retry_of, second.flow_run_id) == (first.correlation_id, first.flow_run_id)
    assert system.registry.deployments.get(first.correlation_id).status is not DeploymentStatus.SUCCEEDED
    pages.open_run(asked.flow_run_id)
    expect(page.get_by_text(f"ui-tried {second.correlation_id}", exact=True).first).to_be_visible()
    expect(page.get_by_text(first.correlation_id, exact=True).first).to_be_visible()
    expect(pages.state("Succeeded")).to_be_visible()
    pages.tab("Artifacts").click()
    expect(pages.cards("interlock-summary")).to_have_count(2)
    pages.picture("retried", pages.cards("interlock-summary").first)
    _open_card(pages, second, "interlock-summary")
    expect(page.locator(".artifact-data-markdown")).to_contain_text(f"New attempt of: {first.correlation_id}")


def test_copy_to_new_run_asks_for_the_same_again_in_a_run_of_its_own(
    system: RehearsalSystem, pages: PrefectPages
) -> None:
    earlier = ask(system.api_url, "ui-copied", _template(), actor="ada")
    earlier.wait()
    pages.open_run(earlier.flow_run_id)
    pages.page.locator(".flow-run-menu, .p-icon-button-menu").first.click()
    pages.choose("Copy to new run")
    expect(pages.field("template").locator("textarea")).to_have_value(_template())
    pages.picture("copy", pages.field("template"))
    with _asked_in_the_browser(system, "ui-copied") as copies:
        pages.submit()
    (copy,) = copies
    assert (copy.no_changes, copy.retry_of, copy.actor) == (True, None, "ada")
    assert copy.flow_run_id != earlier.flow_run_id


@pytest.mark.parametrize(("decision", "ending"), [("deny", "Denied"), ("approve", "Succeeded")])
def test_a_suspended_run_is_decided_about_in_the_form_that_lists_its_changes(
    system: RehearsalSystem, pages: PrefectPages, decision: str, ending: str
) -> None:
    asked = ask(system.api_url, "ui-approvals", _template(), actor="ada")
    asked.wait_for_state("Suspended")
    pages.open_run(asked.flow_run_id)
    pages.picture("suspended", pages.state("Suspended"))
    pages.button("Resume").click()
    form = pages.page.get_by_role("dialog")
    expect(form).to_contain_text("Add R0 (AWS::SQS::Queue)")
    pages.select("Decision", decision)
    pages.fill("Actor", "grace")
    pages.fill("Reason (Optional)", "Looked at in the browser.")
    pages.picture(decision, form)
    pages.submit_dialog(form)
    assert asked.wait()["state_name"] == ending
    pages.open_run(asked.flow_run_id)
    pages.picture(ending.lower(), pages.state(ending))
    approval = system.registry.deployments.get(asked.correlation_id()).approval
    assert approval is not None
    assert (approval.decision, approval.decided_by, approval.reason) == (decision, "grace", "Looked at in the browser.")


def _template() -> str:
    return f"{chain(0.2, 0.2)}\nOutputs: {{ApplicationUrl: {{Value: 'http://shop.example'}}}}\n"


def _open_form(pages: PrefectPages) -> None:
    pages.button("Run").click()
    pages.choose("Custom run")


def _open_card(pages: PrefectPages, deployment: Deployment, key: str) -> None:
    """An artifact, from its run's page; of several with this key, the one that names the deployment."""
    pages.open_run(deployment.flow_run_id or "")
    pages.tab("Artifacts").click()
    cards = pages.cards(key)
    expect(cards.first).to_be_visible()
    named = cards.filter(has_text=deployment.correlation_id)
    (named if key == "interlock-summary" else cards).first.click()
    pages.page.wait_for_url("**/artifacts/**")
    expect(pages.cards(key)).to_have_count(0)


@contextmanager
def _asked_in_the_browser(system: RehearsalSystem, environment: str) -> Iterator[list[Deployment]]:
    """Afterwards the list holds the deployment that was asked for within, once its run has ended."""
    before = {each.correlation_id for each in system.registry.deployments.history(environment)}
    asked: list[Deployment] = []
    yield asked
    deadline = time.monotonic() + 60
    while not (new := [d for d in system.registry.deployments.history(environment) if d.correlation_id not in before]):
        assert time.monotonic() < deadline, f"nobody asked for a deployment of {environment}"
        time.sleep(0.2)
    Asked(system.api_url, new[0].flow_run_id or "").wait()
    asked.append(system.registry.deployments.get(new[0].correlation_id))
