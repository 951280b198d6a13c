"""The environments file's `mention_on_failure`: checked where it is written, not found out at the first failure."""

from pathlib import Path

import pytest

from interlock.environments import load_environments
from interlock.errors import SettingsError


def mentions(tmp_path: Path, value: str) -> tuple[str, ...]:
    file = tmp_path / "environments.toml"
    file.write_text(
        f'[environments.production]\nstack_name = "app"\nregion = "eu-west-1"\nmention_on_failure = {value}\n'
    )
    return load_environments(file)["production"].mention_on_failure


def test_members_and_user_groups_are_taken_in_slacks_own_form(tmp_path: Path) -> None:
    given = '["@U012ABCDEF", "<@W012ABCDEF>", "<!subteam^S012ABCDEF>"]'
    assert mentions(tmp_path, given) == ("<@U012ABCDEF>", "<@W012ABCDEF>", "<!subteam^S012ABCDEF>")


@pytest.mark.parametrize(
    "unknown",
    ["@ada", "ada", "@channel", "@here", "<!channel>", "<!here>", "<!everyone>", "<!subteam^S012ABCDEF|ops>", "", "@U1>x",
     "<@U012ABCDEF> <!channel>", "@U012ABCDEF\\n"],
)  # fmt: skip
def test_any_other_form_is_refused_with_what_would_do(tmp_path: Path, unknown: str) -> None:
    with pytest.raises(SettingsError, match=r"production\.mention_on_failure\.0: .*Copy member ID"):
        mentions(tmp_path, f'["{unknown}"]')


def test_a_crowd_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="at most 10"):
        mentions(tmp_path, str([f"@U012ABC{number:03}" for number in range(11)]))
