from interlock.models.notice import NoticeKind
from tests.unit.notifications.catalogue import PAGE, SAMPLES, page


def test_the_catalogue_in_the_docs_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.unit.notifications.catalogue`"


def test_the_catalogue_holds_every_kind() -> None:
    assert {kind for kind, _ in SAMPLES} == set(NoticeKind)
