"""The table of what resources normally take is sound."""

import pytest

from interlock.monitoring.resource_seconds import _table, is_in_table, normal_of


@pytest.mark.parametrize("resource_type", sorted(_table()))
def test_no_line_of_the_table_is_turned(resource_type: str) -> None:
    normal = normal_of(resource_type)
    assert 0 < normal.create_seconds <= (normal.p90_seconds or normal.create_seconds)
    assert 0 < normal.update_seconds <= (normal.update_p90_seconds or normal.update_seconds)
    assert (normal.p90_seconds or 0) <= (normal.ceiling_seconds or float("inf"))


def test_custom_resources_share_a_line() -> None:
    assert is_in_table("Custom::Thing")
    assert normal_of("Custom::Thing") == normal_of("AWS::CloudFormation::CustomResource")
    assert not is_in_table("Who::Knows::What")
