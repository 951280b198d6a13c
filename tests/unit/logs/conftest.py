from collections.abc import Iterator

import pytest

from interlock.logs.masking import unmask


@pytest.fixture(autouse=True)
def no_redactors() -> Iterator[None]:
    yield
    unmask()
