"""Command lines for every command there is, drawn from what click knows of it: a new one is fuzzed without being named."""

from collections.abc import Iterator
from dataclasses import dataclass

import click
from hypothesis import strategies as st

from interlock.cli.main import interlock
from tests.unit.fuzz.words import hostile

SURELY_WRONG = "--no-such-option"
_GOOD = {
    "ENV": ("staging",),
    "CORRELATION_ID": ("20260101-000000-00000000", "00000000-0000-0000-0000-000000000000"),
    "FILE": ("template.yaml", "-", "s3://bucket/key"),
    "JSON": ("parameters.json",),
    "K=V": ("Size=3",),
    "LOGICAL_ID": ("Bucket",),
    "TEXT": ("because",),
    "T": ("2h",),
}
"""By metavar: what gets further than the first check."""


@dataclass(frozen=True)
class Command:
    """A command by its words, with click's own account of it."""

    words: tuple[str, ...]
    known: click.Command

    @property
    def is_handed_over(self) -> bool:
        """It becomes another process, which reads its own arguments: only wrong ones are tried."""
        return bool(self.known.context_settings.get("ignore_unknown_options"))

    def argument(self, metavar: str) -> click.Parameter | None:
        return next((each for each in self.known.params if each.metavar == metavar), None)


def commands() -> list[Command]:
    return list(_commands(interlock, ()))


def _commands(group: click.Group, words: tuple[str, ...]) -> Iterator[Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*words, name))
        else:
            yield Command((*words, name), command)


@st.composite
def lines(draw: st.DrawFn, command: Command) -> list[str]:
    """Anything: good and bad values, options left out, doubled, out of order."""
    parts = [part for each in command.known.params for part in draw(_parts(each))]
    if command.is_handed_over:
        parts.append([SURELY_WRONG])
    return [*command.words, *(word for part in draw(st.permutations(parts)) for word in part)]


def good_but(command: Command, wrong: click.Parameter, value: str) -> list[str]:
    """All that is required and good, but for one value."""
    words = list(command.words)
    for each in command.known.params:
        given = value if each is wrong else _GOOD.get(each.metavar or "", ("x",))[0]
        if isinstance(each, click.Option) and (each.required or each.name in ("reason", "force", "yes")):
            words += [each.opts[0]] if each.is_flag else [each.opts[0], given]
    return [*words, "--", value]


def _parts(parameter: click.Parameter) -> st.SearchStrategy[list[list[str]]]:
    if parameter.nargs == -1:
        return st.lists(hostile.map(lambda word: [word]), max_size=3)
    most = 2 if parameter.multiple else 1
    least = 1 if parameter.required else 0
    if isinstance(parameter, click.Option):
        return st.lists(_option(parameter), min_size=0, max_size=most)
    return st.lists(_value(parameter).map(lambda word: [word]), min_size=least, max_size=most)


def _option(option: click.Option) -> st.SearchStrategy[list[str]]:
    names = st.sampled_from([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names.map(lambda name: [name])
    value = _value(option)
    return st.one_of(st.tuples(names, value).map(list), st.builds("{}={}".format, names, value).map(lambda one: [one]))


def _value(parameter: click.Parameter) -> st.SearchStrategy[str]:
    good = _GOOD.get(parameter.metavar or "")
    match parameter.type:
        case click.Choice(choices=choices):
            return st.one_of(st.sampled_from(list(map(str, choices))), hostile)
        case click.types.IntParamType() | click.types.FloatParamType():
            return st.one_of(st.integers().map(str), st.floats().map(str), st.sampled_from(["1", "20"]), hostile)
        case _:
            return st.one_of(st.sampled_from(good), hostile) if good else hostile
