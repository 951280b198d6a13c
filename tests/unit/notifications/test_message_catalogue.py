from interlock.models.notice import NoticeKind
from tests.unit.notifications.catalogue import PAGE, PICTURES, SAMPLES, page, samples


def test_the_catalogue_in_the_docs_is_current() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.unit.notifications.catalogue`"


def test_the_catalogue_holds_every_kind() -> None:
    assert {kind for kind, _ in SAMPLES} == set(NoticeKind)


def test_every_message_has_its_picture_and_no_picture_is_left_over() -> None:
    wanted = {f"{sample.name}.png" for sample in samples()}
    of_others = {"demo.svg", *(picture.name for picture in PICTURES.glob("ui-*"))}
    assert {picture.name for picture in PICTURES.iterdir()} - of_others == wanted, "run `make pictures`"
    assert max(picture.stat().st_size for picture in PICTURES.iterdir()) < 200_000
