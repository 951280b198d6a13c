"""Which resource of a template needs which: by DependsOn, Ref, Fn::GetAtt and Fn::Sub, in their long forms."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SUB_NAME = re.compile(r"\$\{([^!][^}]*)\}")


def dependencies_in(template: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Each resource with those that must be there before it. What is malformed is left to those who refuse it."""
    section = template.get("Resources")
    resources = (
        {str(name): each for name, each in section.items() if isinstance(each, dict)}
        if isinstance(section, dict)
        else {}
    )
    return {name: tuple(sorted(needs(each) & resources.keys() - {name})) for name, each in resources.items()}


def needs(definition: Mapping[str, Any]) -> set[str]:
    explicit = definition.get("DependsOn") or []
    explicit = explicit if isinstance(explicit, list) else [explicit]
    return {*map(str, explicit), *references(definition.get("Properties"))}


def references(node: Any) -> set[str]:
    return set(_references(node))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _named(key, value)
            yield from _references(value)


def _named(key: str, value: Any) -> Iterator[str]:
    if key == "Ref" and isinstance(value, str):
        yield value
    elif key == "Fn::GetAtt" and value:
        yield str(value[0] if isinstance(value, list) else str(value).split(".")[0])
    elif key == "Fn::Sub":
        yield from _substituted(value)


def _substituted(value: Any) -> Iterator[str]:
    text, own = (value[0], value[1]) if isinstance(value, list) and len(value) > 1 else (value, {})
    text = text[0] if isinstance(text, list) and text else text
    for name in _SUB_NAME.findall(str(text)):
        if name not in own:
            yield name.strip().split(".")[0]
