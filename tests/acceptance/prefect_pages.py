"""A person at the Prefect UI: a headless Chromium that clicks, reads, and keeps a picture of what it saw."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, expect, sync_playwright

PATIENCE_SECONDS = 20
"""For whatever is to appear: the pages ask the server again every few seconds."""

_FLAGS = [
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


_TRIES = 3


@dataclass
class PrefectPages:
    page: Page
    ui_url: str
    pictures: Path

    def picture(self, name: str, sign: Locator | None = None) -> None:
        """Kept as `ui-<name>.png`. `sign` is what must be in the picture: it is waited for, and scrolled to."""
        if sign is not None:
            expect(sign).to_be_visible()
            sign.scroll_into_view_if_needed()
        self.page.wait_for_load_state("networkidle")
        self.page.screenshot(path=self.pictures / f"ui-{name}.png", animations="disabled")

    def open_runs(self, name: str) -> None:
        """The list of runs, searched for this name as a person would."""
        self.page.goto(f"{self.ui_url}/runs")
        self.page.get_by_role("searchbox", name="Search by flow run name").fill(name)
        expect(self.row(name)).to_be_visible()

    def row(self, name: str) -> Locator:
        """A run in a list."""
        return self.page.locator(".state-list-item").filter(has=self.page.get_by_role("link", name=name, exact=True))

    def open_run(self, flow_run_id: str) -> None:
        self.page.goto(f"{self.ui_url}/runs/flow-run/{flow_run_id}")
        expect(self.tab("Artifacts")).to_be_visible()

    def tab(self, name: str) -> Locator:
        return self.page.locator(".p-tab").get_by_text(name, exact=True)

    def state(self, name: str) -> Locator:
        """The run's badge."""
        return self.page.locator(".state-badge").get_by_text(name, exact=True).first

    def cards(self, key: str) -> Locator:
        """The artifacts of this key, on a run's page."""
        return self.page.locator(".artifact-card").filter(has_text=key)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def submit(self) -> None:
        """A form of a page of its own; again if the server was busy, as a person would."""
        for _ in range(_TRIES):
            self.button("Submit").click()
            with suppress(Error):
                self.page.wait_for_url(
                    re.compile(r"/runs/flow-run/|/deployments/deployment/[0-9a-f-]+$"), timeout=8_000
                )
                return

    def submit_dialog(self, form: Locator) -> None:
        """The same for a form in a dialog, which closes when it was taken."""
        for _ in range(_TRIES):
            form.get_by_role("button", name="Submit", exact=True).click()
            with suppress(AssertionError):
                expect(form).to_be_hidden(timeout=8_000)
                return

    def choose(self, name: str) -> None:
        """An entry of the menu that is open."""
        self.page.locator(".p-overflow-menu-item").get_by_text(name, exact=True).click()

    def field(self, label: str) -> Locator:
        """A field of a form that Prefect makes of a schema."""
        own_label = self.page.locator(".schema-form-property__label").get_by_text(label, exact=True)
        return self.page.locator(".schema-form-property").filter(has=own_label).last

    def fill(self, label: str, text: str) -> None:
        self.field(label).locator("textarea").fill(text)

    def select(self, label: str, option: str) -> None:
        self.field(label).locator(".p-select-button__control").press(
            "ArrowDown"
        )  # opens it, wherever it has scrolled to
        self.page.locator(".p-select-option").get_by_text(option, exact=True).click()


@contextmanager
def prefect_pages(chromium: str, ui_url: str, pictures: Path) -> Iterator[PrefectPages]:
    """A window of its own, with times in UTC. Chromium refuses to be root's unless its sandbox is off."""
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=flags) as browser:
        window = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC", locale="en-GB")
        window.set_default_timeout(PATIENCE_SECONDS * 1000)
        yield PrefectPages(window.new_page(), ui_url, pictures)
