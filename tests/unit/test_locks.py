"""The check of the locks notices what it is there for."""

from collections.abc import Callable

import pytest

from tests import locks

PROJECT = """
[project]
dependencies = ["click>=8.1"]
[project.optional-dependencies]
worker = ["Prefect_AWS>=0.7,<0.8"]
"""
CLICK = "click==8.3.0 \\\n    --hash=sha256:" + "a" * 64 + "\n"
PREFECT_AWS = "prefect-aws==0.7.12 \\\n    --hash=sha256:" + "b" * 64 + "\n    # via interlock (pyproject.toml)\n"


def test_locks_as_they_should_be_have_no_problems() -> None:
    assert list(locks.problems(PROJECT, CLICK + PREFECT_AWS, CLICK)) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda whole, client: (whole.split("\n    --hash")[0].rstrip(" \\") + "\n" + PREFECT_AWS, client), "no hash"),
        (lambda whole, client: (whole.replace("==8.3.0", ">=8"), client), "no package pinned"),
        (lambda whole, client: ("--index-url https://x.test/simple\n" + whole, client), "an address"),
        (lambda whole, client: (whole.replace("prefect-aws", "prefect-gcp"), client), "Prefect_AWS is not in it"),
        (lambda whole, client: (whole.replace("==0.7.12", "==0.8.1"), client), "is not <0.8,>=0.7"),
        (lambda whole, client: (whole, client.replace("8.3.0", "8.2.0")), "is not what requirements.lock has"),
        (lambda whole, _client: (whole, "# nothing\n"), "click is not in it"),
    ],
)
def test_what_is_wrong_with_a_lock_is_said(spoil: Callable[[str, str], tuple[str, str]], said: str) -> None:
    found = list(locks.problems(PROJECT, *spoil(CLICK + PREFECT_AWS, CLICK)))
    assert any(said in problem for problem in found), found
