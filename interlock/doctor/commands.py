"""The commands of environments that have one: whether the program is on this machine, and the directory."""

import os
import shutil
from collections.abc import Sequence
from functools import partial

from interlock.doctor.findings import Check, Verdict, ok, problem
from interlock.models.environment import Environment


def checks(environments: Sequence[Environment]) -> list[Check]:
    having = [environment for environment in environments if environment.command]
    return [Check(f"command for {each.name}", partial(program, each)) for each in having]


def program(environment: Environment) -> Verdict:
    """Nothing is run."""
    name, directory = environment.command[0], environment.command_directory
    if directory is not None and not directory.is_dir():
        return problem(f"there is no directory {directory}", "Make it on every worker, or correct command_directory.")
    # A program with a slash is looked for where the command runs, any other on the PATH.
    found = shutil.which(os.path.join(directory or "", name) if os.sep in name else name)  # noqa: PTH118 - "./x" stays so
    if found is None:
        return problem(f"{name} is not there, or may not be run", "Install it on every worker, or correct `command`.")
    return ok(found)
