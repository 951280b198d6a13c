"""Who may reach Prefect's API: beyond this machine, nobody without the auth string."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deployments.access import SERVER_AUTH, auth_of, is_loopback, url_host
from deployments.prefect_settings import client_environment, server_environment
from interlock.errors import SettingsError

STRONG = "interlock:correct-horse-battery"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_loopback_no_auth_string_is_needed(host: str) -> None:
    assert is_loopback(host)
    assert auth_of({}, host) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "deploy.example.com", ""])  # noqa: S104 - refused here
@pytest.mark.parametrize("auth", [None, "", "no-colon-in-this-one", ":only-a-password-here", "user:short", "user:"])
def test_beyond_loopback_it_is_refused_without_a_strong_one(host: str, auth: str | None) -> None:
    with pytest.raises(SettingsError, match="does not listen") as refused:
        auth_of({SERVER_AUTH: auth} if auth is not None else {}, host)
    assert SERVER_AUTH in str(refused.value)
    assert not auth or auth not in str(refused.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104 - nothing listens
def test_a_strong_one_is_used_wherever_it_listens(host: str) -> None:
    assert auth_of({SERVER_AUTH: STRONG}, host) == STRONG


def test_a_weak_one_is_refused_on_loopback_too() -> None:
    with pytest.raises(SettingsError, match="fewer than 16"):
        auth_of({SERVER_AUTH: "user:short"}, "127.0.0.1")


def test_server_and_clients_get_it_each_under_prefects_name_for_it(tmp_path: Path) -> None:
    assert server_environment(tmp_path, "http://x/api", STRONG)["PREFECT_SERVER_API_AUTH_STRING"] == STRONG
    assert client_environment("http://x/api", STRONG)["PREFECT_API_AUTH_STRING"] == STRONG
    assert "PREFECT_API_AUTH_STRING" not in client_environment("http://x/api")


@pytest.mark.parametrize(
    ("host", "written"),
    [("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("fe80::1", "[fe80::1]"), ("10.0.0.5", "10.0.0.5"), ("a.b", "a.b")],  # noqa: S104 - text
)
def test_clients_on_this_machine_are_given_an_address_that_they_can_reach(host: str, written: str) -> None:
    assert url_host(host) == written


def test_up_beyond_loopback_ends_with_5_and_a_paragraph_before_anything_starts(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "INTERLOCK_"))}
    command = [sys.executable, "-m", "deployments.up", "--host", "0.0.0.0", "--home", str(tmp_path)]  # noqa: S104 - refused
    ended = subprocess.run(
        command, env=environ | {SERVER_AUTH: "me:hunter2"}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 5
    assert len(ended.stderr.splitlines()) == 1
    assert "where others can reach it" in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout
    assert list(tmp_path.iterdir()) == []
