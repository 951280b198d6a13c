"""How the tests share the machine: those that share something slow to start run in one process of pytest's, in order."""

import pytest

_TOGETHER = {
    "tests/acceptance/test_demo.py": "drills",
    "tests/acceptance/test_rehearse.py": "drills",
    "tests/acceptance/test_setup.py": "drills",
    "tests/acceptance/": "system",
    "tests/chaos/": "drills",
    "tests/integration/cli/": "prefect server",
    "tests/integration/registry/": "registry",
}
"""The first that a test's path begins with names its group; tests of no group go wherever there is time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = next((name for path, name in _TOGETHER.items() if item.nodeid.startswith(path)), None)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
