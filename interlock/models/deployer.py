"""What brings a stack to its template: our own change set, or a command of the team's."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final


class Deployer(StrEnum):
    """Who deploys an environment."""

    CHANGE_SET = "change-set"
    COMMAND = "command"
    """The environment's own tool, run inside the same queue, hold, monitor and record."""


TEMPLATE: Final = "template"
GIT_SHA: Final = "git_sha"
WORDS: Final = (TEMPLATE, "stack_name", "region", "environment", "correlation_id", GIT_SHA)
"""Placeholders that stand for one text, anywhere in an argument."""
LISTS: Final = ("parameters", "tags", "capabilities")
"""Placeholders that stand for any number of arguments, so each must be an argument of its own."""

# JSON and the query languages of tools have braces too; what could be a name in them is a placeholder, or a mistake.
PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_]\w*)\}")


def placeholders(command: Sequence[str]) -> set[str]:
    """All that the command names."""
    return {name for argument in command for name in PLACEHOLDER.findall(argument)}


def is_list(argument: str) -> bool:
    """Whether this argument stands for any number of them."""
    found = PLACEHOLDER.fullmatch(argument)
    return found is not None and found[1] in LISTS


def problems_of(command: Sequence[str]) -> Iterator[str]:
    """Everything that is wrong with a command, as the environments file has it."""
    for number, argument in enumerate(command, start=1):
        names = PLACEHOLDER.findall(argument)
        if number == 1 and (names or not argument.strip()):
            yield "argument 1: the program itself must be named, without a placeholder"
        if "\0" in argument:
            yield f"argument {number}: it holds a NUL character"
        for name in names:
            yield from (f"argument {number}: {problem}" for problem in _name_problems(name, argument))


def _name_problems(name: str, argument: str) -> Iterator[str]:
    if name in LISTS and not is_list(argument):
        yield f"{{{name}}} stands for several arguments: it must be one of its own"
    if name not in (*WORDS, *LISTS):
        known = ", ".join(f"{{{each}}}" for each in (*WORDS, *LISTS))
        yield f"unknown placeholder {{{name}}} (known: {known}; no shell expands anything else)"
