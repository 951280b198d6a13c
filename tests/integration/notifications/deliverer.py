"""A process that delivers what waits, in two threads, until nothing does: `python -m ... REGISTRY_URL SLACK_API_URL CHANNEL`."""

import sys
from concurrent.futures import ThreadPoolExecutor

from pydantic import SecretStr

from interlock.clock import utc_now
from interlock.notifications.audience import Audience
from interlock.notifications.delivery import Deliverer
from interlock.notifications.pace import Patience
from interlock.notifications.slack import Slack
from interlock.registry import open_registry


def deliver_until_nothing_waits(registry_url: str, slack_api_url: str, channel: str) -> int:
    """How many messages this thread delivered."""
    registry = open_registry(registry_url)
    slack = Slack(SecretStr("xoxb-test"), base_url=slack_api_url)
    deliverer = Deliverer(registry, slack, "process", utc_now, lambda _: Audience(channel))
    delivered = 0
    while registry.outbox.undelivered():
        delivered += deliverer.deliver_all(Patience(3)).delivered
    return delivered


if __name__ == "__main__":
    with ThreadPoolExecutor() as threads:
        both = [threads.submit(deliver_until_nothing_waits, *sys.argv[1:]) for _ in range(2)]
        print(sum(each.result() for each in both))  # noqa: T201 - for the test that started us
