"""Which resource needs which: from DependsOn, Ref, Fn::GetAtt and Fn::Sub."""

import graphlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from interlock.rehearsal.aws.cloudformation.errors import invalid, malformed

Json = dict[str, Any]
Graph = dict[str, set[str]]
"""Each resource with those that must be there before it."""

_SUB_NAME = re.compile(r"\$\{([^!][^}]*)\}")


def graph_of(resources: Mapping[str, Json]) -> Graph:
    """Raises:
    RefusalError: the resources wait for each other in a circle.
    """
    graph = {name: (needs(definition) & resources.keys()) - {name} for name, definition in resources.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        raise invalid(f"Circular dependency between resources: [{', '.join(sorted(set(error.args[1])))}]") from error
    return graph


def in_order(graph: Graph) -> list[str]:
    return list(graphlib.TopologicalSorter(graph).static_order())


def reversed_graph(graph: Graph) -> Graph:
    """For deletions: each resource with those that must be gone before it."""
    backwards: Graph = {name: set() for name in graph}
    for name, needed in graph.items():
        for other in needed & backwards.keys():
            backwards[other].add(name)
    return backwards


def needs(definition: Json) -> set[str]:
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


def check_references(template: Json) -> None:
    """Refuse references to what the template does not have, as AWS does.

    Raises:
        RefusalError: with the names that lead nowhere.
    """
    resources = template.get("Resources") or {}
    known = resources.keys() | (template.get("Parameters") or {}).keys()
    wanted = {
        "Resources": set().union(*(needs(definition) for definition in resources.values())),
        "Outputs": references(template.get("Outputs")),
    }
    for section, names in wanted.items():
        lost = sorted(name for name in names - known if not name.startswith("AWS::"))
        if lost:
            raise malformed(
                f"Unresolved resource dependencies [{', '.join(lost)}] in the {section} block of the template"
            )
    conditions = {str(definition["Condition"]) for definition in resources.values() if "Condition" in definition}
    for name in sorted(conditions - (template.get("Conditions") or {}).keys()):
        raise malformed(f"Unresolved condition dependency {name} in the Resources block of the template")
