"""How the tests share the machine: those that share something slow to start run in one process of pytest's, in order.

The acceptance tests run by themselves: each has a whole system at work, and two of them on two cores are too many.
"""

import signal

import pytest

# A shell that runs the tests in the background has them ignore Ctrl-C, and every process that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_TOGETHER = {
    "tests/integration/cli/": "prefect server",
    "tests/integration/registry/": "registry",
}
"""The first that a test's path begins with names its group; tests of no group go wherever there is time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        group = next((name for path, name in _TOGETHER.items() if item.nodeid.startswith(path)), None)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
