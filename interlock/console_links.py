"""Links into the AWS console, which has another host in each partition."""

from urllib.parse import quote

_HOSTS = (("cn-", "console.amazonaws.cn"), ("us-gov-", "console.amazonaws-us-gov.com"))
_EVERYWHERE_ELSE = "console.aws.amazon.com"


def stack_link(region: str, stack: str) -> str:
    """`stack` is the stack's id, or its name while it has none."""
    return _link(region, f"/stacks/stackinfo?stackId={quote(stack, safe='')}")


def events_link(region: str, stack: str) -> str:
    return _link(region, f"/stacks/events?stackId={quote(stack, safe='')}")


def change_set_link(region: str, stack: str, change_set_arn: str) -> str:
    which = f"stackId={quote(stack, safe='')}&changeSetId={quote(change_set_arn, safe='')}"
    return _link(region, f"/stacks/changesets/changes?{which}")


def _link(region: str, place: str) -> str:
    host = next((host for prefix, host in _HOSTS if region.startswith(prefix)), _EVERYWHERE_ELSE)
    return f"https://{host}/cloudformation/home?region={region}#{place}"
