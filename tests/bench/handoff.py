"""From one deployment's end to the next one's CreateChangeSet, as AWS's own request log has it."""

from statistics import median

from deployments.rehearsal_system import RehearsalSystem
from tests.acceptance.asking import ask, chain

QUEUED = 8


def main() -> None:
    with RehearsalSystem({"bench": {}}) as system:
        requests = [ask(system.api_url, "bench", chain(1, 1, delay=number)) for number in range(QUEUED)]
        for request in requests:
            request.wait(timeout_seconds=300)
        records = [system.registry.deployments.get(request.correlation_id()) for request in requests]
        operations = sorted(system.aws.operations(), key=lambda each: each["started"])
        creations = sorted(each["t"] for each in system.aws.log() if each["action"] == "CreateChangeSet")
    finished = sorted(record.finished_at.timestamp() for record in records if record.finished_at)
    seen = [end - each["ended"] for each, end in zip(operations, finished, strict=True)]
    gaps = [creation - end for end, creation in zip(finished, creations[1:], strict=False)]
    print(f"\nHand-off in one queue of {QUEUED} (seconds)")
    _show("operation's end in AWS to the record of it", seen)
    _show("record of the end to the next one's CreateChangeSet", gaps)


def _show(what: str, seconds: list[float]) -> None:
    each = " ".join(f"{value:.2f}" for value in seconds)
    print(f"{what}: median {median(seconds):.2f}, largest {max(seconds):.2f} ({each})")
