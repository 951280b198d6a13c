"""What the notices about a stack's recovery say: who continued its rollback, why, what was skipped, and how it ended."""

from interlock.notifications.card import Field
from interlock.notifications.facts import Facts

Body = tuple[Field | str, ...]


def recovery_started(facts: Facts) -> Body:
    skipped = facts.texts("skipped")
    return (
        Field("Started by", facts.text("by")),
        Field("Reason", facts.text("recovery_reason")),
        Field("Skipped", ", ".join(skipped)) if skipped else "",
        "The stack's failed rollback is continued. The environment is held until that has ended.",
    )


def recovery_ended(facts: Facts) -> Body:
    status, blocked_by = facts.text("stack_status"), facts.texts("blocked_by")
    if "error" in facts:
        return (Field("Not carried out", facts.text("error")), "Nothing was changed.")
    follows = f"`interlock recover {facts.text('environment')}` shows what is known of it."
    if facts.flag("is_well"):
        follows = (
            "The next deployment can start. Look at what was skipped, if anything was: it may differ from the template."
        )
    return (
        Field("Stack status", status) if status else "",
        Field("Still blocked by", ", ".join(blocked_by)) if blocked_by else "",
        follows,
    )
