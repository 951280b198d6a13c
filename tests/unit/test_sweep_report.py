"""What a sweep did is told in the channel of each environment that it did something in."""

from types import SimpleNamespace

import pytest

from interlock.models.notice import NoticeKind
from interlock.notifications.facts import Facts
from interlock.registry import Registry
from tasks import sweep
from tasks.finding import Finding

ADOPTED = Finding(environment="staging", correlation_id="20260302-140500-3e7a91bc", found="dead", done="adopted")
MENDED = Finding(environment="staging", found="a slot of nobody", done="mended")
RELEASED = Finding(environment="production", found="a hold left behind", done="released")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch, registry: Registry) -> None:
    monkeypatch.setattr(sweep, "installation", lambda: SimpleNamespace(registry=registry))


def told(registry: Registry) -> dict[str, list[str]]:
    rows = [row for announcement in registry.outbox.undelivered() for row in registry.outbox.rows(announcement)]
    assert {row.notice.kind for row in rows} <= {NoticeKind.SWEPT}
    facts = [Facts(row.notice.facts) for row in rows]
    return {each.text("environment"): [one.text("done") for one in each.parts("findings")] for each in facts}


def test_each_environment_is_told_once_of_all_that_was_done_in_it(registry: Registry) -> None:
    sweep.announce([ADOPTED, RELEASED, MENDED])
    assert told(registry) == {"staging": ["adopted", "mended"], "production": ["released"]}


def test_of_what_was_left_as_it_is_and_of_no_environment_nobody_is_told(registry: Registry) -> None:
    left = MENDED.model_copy(update={"is_left": True})
    sweep.announce([left, Finding(environment="", found="a spool", done="written")])
    assert told(registry) == {}
