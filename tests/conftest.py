"""How the tests share the machine: those that share something slow to start run in one process of pytest's, in order.

The acceptance tests make two groups, each with one whole system at work at a time: three on two cores are too many.
"""

import signal

import pytest

# A shell that runs the tests in the background has them ignore Ctrl-C, and every process that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SYSTEM = "one system, for everyday work"
_OTHER_SYSTEMS = "systems of their own, then one for what people do"
_TOGETHER = {
    "tests/integration/cli/": "prefect server",
    "tests/integration/registry/": "registry",
    **dict.fromkeys(
        [f"tests/acceptance/test_{name}.py" for name in ("access", "action", "approvals", "demo", "locks", "logs")],
        _OTHER_SYSTEMS,
    ),
    "tests/acceptance/test_secrets.py": _OTHER_SYSTEMS,
    "tests/acceptance/test_setup.py": _OTHER_SYSTEMS,
    "tests/chaos/": _OTHER_SYSTEMS,
    "tests/acceptance/": _SYSTEM,
}
"""The first that a test's path begins with names its group; tests of no group go wherever there is time."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook, and would do so before
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a system of their own come before those that share one: what is shared stays until the end."""
    for item in items:
        group = next((name for path, name in _TOGETHER.items() if item.nodeid.startswith(path)), None)
        if group:
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: "system" in getattr(item, "fixturenames", ()))
