"""`make pictures`: every message as the local Slack shows it, into docs/pictures.

The clock of the local Slack stands still, so the same messages give the same pictures.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from interlock.errors import InterlockError
from interlock.notifications.slack import Slack
from interlock.rehearsal.slack.server import SlackServer
from tests.pictures.chromium import Chromium, find_chromium
from tests.unit.notifications.catalogue import ASKED_AT, PICTURES, Sample, samples, started

_WIDTH = 760
_MOST_BYTES = 200_000


@contextmanager
def local_slack() -> Iterator[SlackServer]:
    with SlackServer(0, clock=lambda: ASKED_AT + timedelta(minutes=4)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def tell(slack: Slack, sample: Sample) -> None:
    """What Slack shows once the sample has been told, in a channel of its own."""
    thread = slack.post(f"#{sample.name}", started().parent)
    if sample.message.parent != started().parent:
        slack.update(thread, sample.message.parent)
    if sample.message.detail:
        slack.reply(thread, sample.message.detail, broadcast=sample.message.broadcast)


def take_pictures() -> None:
    PICTURES.mkdir(exist_ok=True)
    chromium = Chromium(find_chromium(), _WIDTH)
    with local_slack() as server:
        slack = Slack(SecretStr("xoxb-pictures"), base_url=f"{server.url}/api/")
        for sample in samples():
            tell(slack, sample)
            take(chromium, f"{server.url}/?only#{sample.name}", PICTURES / f"{sample.name}.png")


def take(chromium: Chromium, url: str, picture: Path) -> None:
    chromium.take(url, picture)
    size = picture.stat().st_size
    print(f"{picture.name}: {size / 1000:.0f} kB")
    if size > _MOST_BYTES:
        raise RuntimeError(f"{picture} is too large for a document.")


if __name__ == "__main__":
    try:
        take_pictures()
    except InterlockError as error:
        sys.exit(str(error))
