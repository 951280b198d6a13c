"""Which stacks the doctor asks AWS about."""

from interlock.doctor.aws import checks
from tests.unit.doctor.kit import PRODUCTION, STAGING


def test_each_stack_of_an_environment_of_several_is_asked_about() -> None:
    several = PRODUCTION.model_copy(update={"stacks_before": ("network",)})
    assert [check.name for check in checks([STAGING, several])] == [
        "AWS for staging",
        "permissions for staging",
        "AWS for production, stack network",
        "permissions for production, stack network",
        "AWS for production, stack app-production",
        "permissions for production, stack app-production",
        "clock and AWS",
    ]
