"""What the notices about locks say: who locked, why and until when."""

from interlock.notifications.card import Field
from interlock.notifications.durations import instant
from interlock.notifications.facts import Facts

Body = tuple[Field | str, ...]


def lock_of(facts: Facts) -> Body:
    """Nothing where no lock is on."""
    if "locked_by" not in facts:
        return ()
    until = facts.text("locked_until")
    return (
        Field("Locked by", f"{facts.text('locked_by')}, since {instant(facts.text('locked_since'))}"),
        Field("Reason", facts.text("lock_reason")),
        Field("Until", instant(until) if until else "it is unlocked"),
    )


def locked(facts: Facts) -> Body:
    name = facts.text("environment")
    emergency = f"interlock deploy {name} --override-lock --reason ..."
    return (
        *lock_of(facts),
        "No deployment begins until then; one that runs goes on.",
        Field("In an emergency", emergency, code=True),
    )


def unlocked(facts: Facts) -> Body:
    reason = facts.text("unlock_reason")
    return (
        Field("Unlocked by", facts.text("unlocked_by")),
        Field("Because", reason) if reason else "",
        f"It was locked by {facts.text('locked_by')}: {facts.text('lock_reason')}",
    )


def queued_by_lock(facts: Facts) -> Body:
    return (*lock_of(facts), "Your deployment will proceed when the environment is unlocked.")


def overridden(facts: Facts) -> Body:
    return (
        Field("Overridden by", facts.text("by")),
        Field("Emergency", facts.text("override_reason")),
        *lock_of(facts),
    )


def released_by_force(facts: Facts) -> Body:
    return (
        Field("Released by", facts.text("by")),
        Field("Reason", facts.text("release_reason")),
        "The environment is free for the next deployment. This one changes nothing more.",
    )
