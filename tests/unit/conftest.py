"""A clock that stands still, and a registry in a file that goes by it."""

from pathlib import Path

import pytest

from interlock.registry import Registry, open_registry
from tests.unit.registry.kit import FrozenClock


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def registry(tmp_path: Path, clock: FrozenClock) -> Registry:
    return open_registry(f"sqlite:///{tmp_path / 'registry.db'}", clock=clock)
