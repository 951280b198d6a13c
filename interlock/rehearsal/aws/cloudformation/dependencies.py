"""The order in which resources are made and removed, and the refusal of references that lead nowhere."""

import graphlib
from collections.abc import Mapping
from typing import Any

from interlock.cloudformation.dependencies import needs, references
from interlock.rehearsal.aws.cloudformation.errors import invalid, malformed

Json = dict[str, Any]
Graph = dict[str, set[str]]
"""Each resource with those that must be there before it."""


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
