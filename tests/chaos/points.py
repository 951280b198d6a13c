"""The points at which the kill bed strikes: around every write, call and wait of a normal deployment, in its order."""

from fnmatch import fnmatch

_NORMAL = """
    deployments.register#1 prefect.name_the_run#1 notify#1 slack.post#1 outbox.save_thread#1 outbox.update#1
    queue.enqueue#1 aws.stack#1 aws.validate_template#1 deployments.record#1
    turn.take#1 slot.enter#1 deployments.record#2 holds.claim#1
    holds.renew#1 aws.create_change_set#1 aws.change_set#1 deployments.record#3 artifacts.changes#1
    deployments.record#4 aws.execute_change_set#1 aws.send#2 aws.events_of_operation#1 monitor.report#1
    deployments.finish#1 artifacts.outcome#1 holds.release#1 slot.exit#1 slack.reply#1 slack.update#1
    notify_at_last#1 final_state#1
"""

POINTS = tuple(f"{side}:{call}" for call in _NORMAL.split() for side in ("before", "after"))

SHORT = (
    "after:deployments.register#1",
    "after:slot.enter#1",
    "before:aws.execute_change_set#1",
    "after:aws.execute_change_set#1",
    "before:holds.release#1",
    "after:slack.post#1",
)
"""One of each kind: before it has a place, with the slot alone, around the one call that matters, after its end."""


def matching(pattern: str) -> list[str]:
    return [point for point in POINTS if fnmatch(point, pattern)]
