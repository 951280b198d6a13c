"""From one deployment's end to the next one's CreateChangeSet, as AWS's own request log has it."""

from itertools import pairwise
from statistics import median

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import ask, chain

QUEUED = 8


def main() -> None:
    with RehearsalSystem(environments={"bench": {}}) as system:
        requests = [ask(system.api_url, "bench", chain(1, 1, delay=number)) for number in range(QUEUED)]
        for request in requests:
            request.wait(timeout_seconds=300)
        ends = sorted(each["ended"] for each in system.aws.operations())
        creations = sorted(each["t"] for each in system.aws.log() if each["action"] == "CreateChangeSet")
    gaps = [next(created for created in creations if created > end) - end for end, _ in pairwise(ends)]
    print(f"\nHand-off from an operation's end to the next CreateChangeSet, {len(gaps)} of them, one queue of {QUEUED}")
    print("seconds: " + " ".join(f"{gap:.2f}" for gap in gaps))
    print(f"median {median(gaps):.2f}, largest {max(gaps):.2f}")
