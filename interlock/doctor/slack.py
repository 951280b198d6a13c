"""Slack: is the token good, and is the bot in every channel? Nothing is posted."""

from collections.abc import Sequence
from functools import partial

from interlock.doctor.findings import Check, Verdict, not_checked, ok, ok_unless, problem, warning
from interlock.errors import SlackRefusedError
from interlock.models.environment import Environment
from interlock.notifications.slack import Slack

TOKEN = "Slack token"  # noqa: S105 - the name of a check
POSTING, POSTING_ANYWHERE = "chat:write", "chat:write.public"


def checks(slack: Slack | None, environments: Sequence[Environment]) -> list[Check]:
    if slack is None:
        return [Check(TOKEN, partial(without_token, environments))]
    return [
        Check(TOKEN, partial(token, slack)),
        Check("Slack channels", partial(channels, slack, environments), needs=TOKEN),
    ]


def without_token(environments: Sequence[Environment]) -> Verdict:
    waiting = [environment.name for environment in environments if environment.slack_channel]
    if not waiting:
        return ok("not set, and no environment has a channel")
    mend = "Set INTERLOCK_SLACK_TOKEN to a bot token with chat:write, or remove `slack_channel`."
    return warning(f"not set: the messages of {', '.join(waiting)} are kept, and sent to nobody", mend)


def token(slack: Slack) -> Verdict:
    who = slack.identity()
    if who.scopes is not None and POSTING not in who.scopes:
        return problem(f"{who.user} of {who.team} may not post", f"Give the bot the scope {POSTING}, reinstall it.")
    return ok(f"{who.user} of {who.team}")


def channels(slack: Slack, environments: Sequence[Environment]) -> Verdict:
    wanted = {each.slack_channel: each.name for each in environments if each.slack_channel}
    if not wanted:
        return ok("no environment has a channel")
    try:
        known = {name: is_member or _posts_anywhere(slack) for name, is_member in slack.channels().items()}
    except SlackRefusedError as refusal:
        mend = "Give the bot the scopes channels:read and groups:read to have this checked."
        return not_checked(f"channels cannot be listed: {refusal.message}", mend)
    complaints = [
        f"{channel} ({wanted[channel]}) is not there for the bot" for channel in wanted if channel not in known
    ]
    complaints += [
        f"the bot is not in {channel} ({wanted[channel]})" for channel in wanted if known.get(channel) is False
    ]
    mend = "Invite the bot to the channel, or correct `slack_channel` in the environments file."
    return ok_unless(complaints, mend, seen=f"the bot is in {', '.join(wanted)}")


def _posts_anywhere(slack: Slack) -> bool:
    return POSTING_ANYWHERE in (slack.identity().scopes or ())
