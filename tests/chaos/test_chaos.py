"""The kill bed in short: six points, the engine killed at each, all at once. `make chaos` does every point and every kill."""

from collections.abc import Iterator

import pytest

from tests.chaos.bed import Bed, Kill, Strike
from tests.chaos.points import SHORT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strikes() -> Iterator[dict[str, Strike]]:
    with Bed(len(SHORT)) as bed:
        yield {strike.point: strike for strike in bed.strike(SHORT, Kill.ENGINE)}


@pytest.mark.parametrize("point", SHORT)
def test_promise_9_an_engine_killed_here_is_recovered_from_and_the_next_deployment_goes_on(
    strikes: dict[str, Strike], point: str
) -> None:
    assert strikes[point].problems == []
