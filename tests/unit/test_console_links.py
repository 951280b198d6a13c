import pytest

from interlock.console_links import change_set_link, ecs_service_link, events_link, log_group_link, stack_link

STACK_ID = "arn:aws:cloudformation:eu-west-1:1:stack/app/1"
QUOTED = "arn%3Aaws%3Acloudformation%3Aeu-west-1%3A1%3Astack%2Fapp%2F1"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "console.aws.amazon.com"),
        ("cn-north-1", "console.amazonaws.cn"),
        ("us-gov-west-1", "console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_its_console(region: str, host: str) -> None:
    assert stack_link(region, STACK_ID) == (
        f"https://{host}/cloudformation/home?region={region}#/stacks/stackinfo?stackId={QUOTED}"
    )


def test_events_and_change_sets_have_pages_of_their_own() -> None:
    assert events_link("eu-west-1", STACK_ID).endswith(f"#/stacks/events?stackId={QUOTED}")
    link = change_set_link("eu-west-1", STACK_ID, "arn:aws:cloudformation:eu-west-1:1:changeSet/a/2")
    assert "#/stacks/changesets/changes?" in link
    assert link.endswith("&changeSetId=arn%3Aaws%3Acloudformation%3Aeu-west-1%3A1%3AchangeSet%2Fa%2F2")


def test_a_log_group_is_quoted_as_the_console_wants_it() -> None:
    assert log_group_link("eu-west-1", "/aws/lambda/a b").endswith(
        "#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fa$2520b"
    )


def test_an_ecs_service_has_a_page_in_its_cluster() -> None:
    assert ecs_service_link("cn-north-1", "shop", "web") == (
        "https://console.amazonaws.cn/ecs/v2/clusters/shop/services/web/health?region=cn-north-1"
    )
