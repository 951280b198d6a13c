import subprocess
import sys
from pathlib import Path

import pytest

from interlock.errors import DeploymentNotFoundError, SettingsError, StartupError
from interlock.registry import open_registry
from tests.unit.registry.kit import FrozenClock, cid, deployment


@pytest.mark.parametrize(
    "url",
    [
        "",
        "registry.db",
        "sqlite://registry.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///directory/",
        "sqlite:///a.db?mode=ro",
        "postgresql://localhost/x",
        "dynamodb://",
        "dynamodb://table",
        "dynamodb://table?region=",
        "dynamodb://table/more?region=eu-central-1",
        "dynamodb://table?region=eu-central-1&colour=blue",
        "http://[broken",
    ],
)
def test_a_wrong_address_says_what_forms_there_are(url: str) -> None:
    with pytest.raises(SettingsError, match=r"sqlite:///path\.db.*dynamodb://TABLE\?region=REGION"):
        open_registry(url)


def test_a_sqlite_registry_is_ready_when_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registry = open_registry("sqlite:///new/directory/registry.db", clock=FrozenClock())
    monkeypatch.chdir("/")
    registry.deployments.register(deployment())
    again = open_registry(f"sqlite:///{tmp_path}/new/directory/registry.db")
    assert again.deployments.get(cid(1)) == deployment()


def test_another_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database at all, but long enough to look like one " * 50)
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="is not an Interlock registry"):
        open_registry(f"sqlite:///{path}")
    assert path.read_bytes() == before


@pytest.mark.parametrize("path", ["/proc/registry.db", "/dev/null/registry.db", "/tmp"])  # noqa: S108  a directory that exists
def test_a_path_that_cannot_be_written_is_one_paragraph(path: str) -> None:
    with pytest.raises(StartupError, match=r"INTERLOCK_REGISTRY") as raised:
        open_registry(f"sqlite:///{path}")
    assert "\n" not in str(raised.value)


def test_a_registry_that_was_moved_away_does_not_become_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = open_registry(f"sqlite:///{path}")
    registry.deployments.register(deployment())
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(Exception, match="does not answer") as raised:
        registry.deployments.get(cid(1))
    assert not isinstance(raised.value, DeploymentNotFoundError)
    assert not path.exists()


def test_dynamodb_is_not_touched_by_opening() -> None:
    open_registry("dynamodb://Table-of.mine?region=eu-central-1")


def test_sqlite_users_do_not_import_boto3(tmp_path: Path) -> None:
    code = f"import sys; from interlock.registry import open_registry; open_registry('sqlite:///{tmp_path}/r.db')"
    check = "assert not [name for name in sys.modules if name.startswith('boto')]"
    subprocess.run([sys.executable, "-c", f"{code}; {check}"], check=True)
