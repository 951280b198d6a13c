import pytest

from interlock.console_links import change_set_link, events_link, stack_link

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
