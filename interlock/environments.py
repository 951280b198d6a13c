"""The environments file: TOML, one table `[environments.NAME]` each."""

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from interlock.errors import SettingsError, UnknownEnvironmentError
from interlock.models.environment import Environment

Environments = Mapping[str, Environment]


def load_environments(path: Path) -> Environments:
    """All environments of the file.

    Raises:
        SettingsError: the file is absent or wrong; every problem at once, each with its path in the file.
    """
    tables = _tables(path)
    problems: list[str] = []
    environments: dict[str, Environment] = {}
    for name, table in tables.items():
        try:
            environments[name] = Environment.model_validate({**_as_table(table), "name": name})
        except ValidationError as error:
            problems += [_problem(name, item) for item in error.errors()]
    problems += _shared_stacks(environments)
    if problems:
        raise _wrong(path, problems)
    return environments


def find_environment(environments: Environments, name: str) -> Environment:
    """The environment of this name.

    Raises:
        UnknownEnvironmentError: there is none; the message lists those that exist.
    """
    if name not in environments:
        known = ", ".join(sorted(environments)) or "none"
        raise UnknownEnvironmentError(
            f"There is no environment {name!r} (known: {known}).",
            next_step="Correct the name, or add the environment to the environments file and run `interlock setup`.",
        )
    return environments[name]


def _tables(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"The environments file {path} cannot be read: {error.strerror}.",
            next_step="Create it, or name another one with INTERLOCK_ENVIRONMENTS.",
        ) from error
    except (ValueError, RecursionError) as error:  # also: no text, a number of thousands of digits
        raise _wrong(path, [f"not valid TOML: {error}"]) from error
    unknown = [f"{key}: unknown (only [environments.NAME] tables are)" for key in document if key != "environments"]
    tables = document.get("environments", {})
    if not isinstance(tables, dict) or not tables:
        unknown.append("environments: at least one table [environments.NAME] is needed")
    if unknown:
        raise _wrong(path, unknown)
    return dict(tables)


def _as_table(table: object) -> dict[str, Any]:
    return (
        {key: value for key, value in table.items() if key != "name"}
        | ({"unknown key name": None} if "name" in table else {})
        if isinstance(table, dict)
        else {"(not a table)": table}
    )


def _problem(name: str, item: Any) -> str:
    where = ".".join(str(part) for part in item["loc"])
    message = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
    return f"environments.{name}.{where}: {message}"


def _shared_stacks(environments: Environments) -> list[str]:
    """Two environments with one stack would deploy it at once: each has a slot and a hold of its own."""
    users: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for environment in environments.values():
        for stack in environment.stacks:
            users[_account(environment), environment.region, stack].append(environment.name)
    return [
        f"environments {' and '.join(names)} name the same stack {stack} in {region}: give each its own"
        for (_, region, stack), names in users.items()
        if len(names) > 1
    ]


def _account(environment: Environment) -> str:
    """The account that the role belongs to (`arn:partition:iam::ACCOUNT:role/name`); without one, the worker's own: ""."""
    return dict(enumerate((environment.role_arn or "").split(":"))).get(4, "")


def _wrong(path: Path, problems: list[str]) -> SettingsError:
    listing = "\n".join(f"  - {problem}" for problem in problems)
    return SettingsError(f"The environments file {path} is wrong:\n{listing}\n", next_step="Correct it and try again.")
