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


def ecs_service_link(region: str, cluster: str, service: str) -> str:
    place = f"clusters/{quote(cluster, safe='')}/services/{quote(service, safe='')}/health"
    return f"https://{_host(region)}/ecs/v2/{place}?region={region}"


def log_group_link(region: str, log_group: str) -> str:
    """The console wants the name quoted twice, with `$` for the outer `%`."""
    name = quote(quote(log_group, safe=""), safe="").replace("%", "$")
    return f"https://{_host(region)}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{name}"


def _link(region: str, place: str) -> str:
    return f"https://{_host(region)}/cloudformation/home?region={region}#{place}"


def _host(region: str) -> str:
    return next((host for prefix, host in _HOSTS if region.startswith(prefix)), _EVERYWHERE_ELSE)
