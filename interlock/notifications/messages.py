"""Rendering, pure: a deployment and a notice become the parent message as it looks after the notice, and the reply that
goes into its thread. One parent a deployment, edited in place; the thread is the whole story.

The facts of each kind (JSON values). Any may be absent: the message then says less.

| kind | facts |
| --- | --- |
| started | actor, git_sha |
| queued | holder, holder_kind (`deployment`, `foreign`, `recovery`), holder_started_at (ISO), position, policy, ESTIMATE |
| waiting | position, waited_minutes, ESTIMATE |
| deploying, moving_again, adopted | none |
| changes | counts {what: number}, changes [{action, logical_id, resource_type, replacement}], the first 20 |
| progress | done, total, percent, running [{logical_id, seconds}], remaining_seconds_low, remaining_seconds_high |
| stalled | severity (`critical` calls people), silent_seconds, hint, resources [{logical_id, resource_type, seconds}], DIAGNOSIS |
| monitor_gap | seconds |
| degraded | what |
| succeeded | duration_seconds, application_url, no_changes, outputs {name: value} |
| failed, rolled_back | error, first_cause {logical_id, resource_type, reason, hint}, duration_seconds, DIAGNOSIS |
| timed_out | waited_minutes; locked (true), error |
| cancelled, superseded | by |
| rejected | as queued; locked (true), error |
| lock_overridden | by, override_reason, LOCK |
| released_by_force | by, release_reason |
| recovery_started | by, recovery_reason, skipped (names) |
| recovery_ended | by, is_well, stack_status, blocked_by (names), error (where it did not begin) |
| locked | environment, LOCK |
| unlocked | environment, LOCK, unlocked_by, unlock_reason |
| swept | environment, findings [{correlation_id, found, done}] |
| approval_requested | as changes, hash, round, expires_at (ISO) |
| approved | by, reason |
| denied, expired | error |
| summary | missed, skipped, outage_minutes, late [{title, at (ISO)}], the first 10 |

ESTIMATE is estimate_minutes_low and estimate_minutes_high: until the active deployment ends. Position 1 is the next.
DIAGNOSIS is diagnosis [line] and diagnosis_links {label: url}: what the resources' own services say.
LOCK is locked_by, lock_reason, locked_since, locked_until (ISO); `queued` and `waiting` have it while a lock is on.
"""

from dataclasses import dataclass, replace

from interlock.models.deployment import Deployment
from interlock.models.notice import Notice, NoticeKind
from interlock.notifications.announcements import Announcement, announce
from interlock.notifications.blocks import plain
from interlock.notifications.card import Card, Field, Link, fields, links
from interlock.notifications.details import body_of, progress_line
from interlock.notifications.durations import in_minutes
from interlock.notifications.escape import one_line
from interlock.notifications.facts import Facts
from interlock.notifications.headlines import (
    headline,
    is_alarm,
    is_shown_in_channel,
    moves_parent,
    parent_headline,
    parent_kind,
)

_SHA_LENGTH = 12
_FOUND_LINKS = 3
_PARENT_ONLY = (NoticeKind.STARTED, NoticeKind.WAITING, NoticeKind.PROGRESS)
"""Told by the parent alone: the first is the parent, the others would fill the thread."""
_OUTCOMES = (NoticeKind.SUCCEEDED, NoticeKind.FAILED, NoticeKind.ROLLED_BACK)


@dataclass(frozen=True)
class Message:
    """What one notice comes to in Slack."""

    parent: Card
    detail: Card | None
    moves_parent: bool
    """Whether the parent changes; if not, it is only posted where none is yet."""
    broadcast: bool
    """Whether the reply is shown in the channel too."""


def render(about: Deployment | Announcement, notice: Notice, mentions: tuple[str, ...] = ()) -> Message:
    """`mentions`: whom an alarm calls. The parent shows them; the reply that is broadcast notifies them (decision 0009)."""
    if isinstance(about, Announcement):
        card, reply = announce(about, notice)
        return Message(card, reply, moves_parent=True, broadcast=True)
    return _of_deployment(about, notice, mentions)


def _of_deployment(deployment: Deployment, notice: Notice, mentions: tuple[str, ...]) -> Message:
    called = mentions if is_alarm(notice) else ()
    detail = None if notice.kind in _PARENT_ONLY else _detail(deployment, notice)
    return Message(
        parent=replace(_parent(deployment, notice), mentions=called),
        detail=detail and replace(detail, mentions=called),
        moves_parent=moves_parent(notice.kind),
        broadcast=is_shown_in_channel(notice),
    )


def plain_text(message: Message) -> str:
    """The message for a terminal: what is new in it."""
    return plain(message.detail or message.parent)


def _parent(deployment: Deployment, notice: Notice) -> Card:
    kind = parent_kind(notice.kind, deployment.status)
    heading = parent_headline(notice, deployment.status)
    return Card(
        heading.emoji,
        f"{heading.parent} [{deployment.correlation_id}]" if kind is NoticeKind.PROGRESS else heading.parent,
        subject=one_line(deployment.environment),
        fields=_parent_fields(deployment, notice),
        body=body_of(notice, deployment) if kind is notice.kind and kind is not NoticeKind.CHANGES else (),
        links=_links(deployment, notice),
        footer=_origin(deployment, notice),
    )


def _parent_fields(deployment: Deployment, notice: Notice) -> tuple[Field, ...]:
    return fields(
        *_names(deployment), ("Status", _status(deployment, notice)), ("Duration", _duration(deployment, notice))
    )


def _names(deployment: Deployment) -> tuple[tuple[str, str] | Field, ...]:
    return ("Environment", deployment.environment), Field("Correlation ID", deployment.correlation_id, code=True)


def _origin(deployment: Deployment, notice: Notice) -> tuple[Field, ...]:
    facts = Facts(notice.facts)
    return fields(
        ("Stack", deployment.stack_in_words),
        ("Requested by", deployment.actor or facts.text("actor")),
        Field("Commit", (deployment.git_sha or facts.text("git_sha"))[:_SHA_LENGTH], code=True),
        ("Changes", ", ".join(f"{count} {what}" for what, count in deployment.change_counts.items() if count)),
    )


def _status(deployment: Deployment, notice: Notice) -> str:
    status = parent_headline(notice, deployment.status).status
    if notice.kind is NoticeKind.PROGRESS and progress_line(Facts(notice.facts)):
        return f"{status}, {Facts(notice.facts).count('percent')} %"
    is_over = parent_kind(notice.kind, deployment.status) in _OUTCOMES
    return f"{status} ({deployment.stack_status})" if is_over and deployment.stack_status else status


def _duration(deployment: Deployment, notice: Notice) -> str | None:
    """From the facts or, when they do not say it, from the record; not before the end."""
    if parent_kind(notice.kind, deployment.status) not in _OUTCOMES:
        return None
    told = Facts(notice.facts).number("duration_seconds")
    seconds = told if told is not None else deployment.duration_seconds
    return in_minutes(seconds) if seconds is not None else None


def _detail(deployment: Deployment, notice: Notice) -> Card:
    heading = headline(notice)
    card = Card(
        "📋" if notice.kind is NoticeKind.CHANGES else heading.emoji,
        f"{heading.detail} [{deployment.correlation_id}]",
        body=body_of(notice, deployment),
        links=_links(deployment, notice) if notice.kind is NoticeKind.STALLED else (),
        compact=True,
    )
    if notice.kind in _OUTCOMES or is_shown_in_channel(notice):
        return _standing_alone(card, heading.detail, deployment, notice)
    return card


def _standing_alone(card: Card, title: str, deployment: Deployment, notice: Notice) -> Card:
    """What people quote, and what stands in the channel without its parent: it names its deployment and has the links.

    After a failure the duration is small print: the error comes first, for those who see its first lines on a telephone.
    """
    duration = fields(("Duration", _duration(deployment, notice)))
    succeeded = notice.kind is NoticeKind.SUCCEEDED
    return replace(
        card,
        title=title,
        fields=(*fields(*_names(deployment)), *(duration if succeeded else ())),
        links=_links(deployment, notice),
        footer=() if succeeded else duration,
    )


def _links(deployment: Deployment, notice: Notice) -> tuple[Link, ...]:
    return links(
        Application_URL=Facts(notice.facts).text("application_url") or deployment.application_url,
        Workflow=deployment.github_run_url,
        Prefect_run=deployment.flow_run_url,
        AWS_Console=deployment.aws_console_url,
    )
