"""A template at a glance: which parameters are `NoEcho`, for a client that must not import cfn-lint (2 s) to know."""

from collections.abc import Iterator

import yaml

_Node = yaml.Node | None


def no_echo_parameters(text: str) -> frozenset[str]:
    """By the template's text, YAML or JSON. In doubt none: the worker reads it again, and thoroughly.

    Only composed, never constructed: CloudFormation's tags mean nothing here, and aliases expand to nothing.
    """
    try:
        root = yaml.compose(text.replace("\t", " "), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError):
        return frozenset()
    return frozenset(name for name, each in _members(_member(root, "Parameters")) if _is_no_echo(each))


def _is_no_echo(declaration: yaml.Node) -> bool:
    """Not of a type whose value is the name of a stored parameter: that name is no secret."""
    is_name = _text(declaration, "Type").startswith("AWS::SSM::Parameter::Value<")
    return _text(declaration, "NoEcho").lower() in ("true", "yes", "on") and not is_name


def _text(node: yaml.Node, key: str) -> str:
    value = _member(node, key)
    return str(value.value) if isinstance(value, yaml.ScalarNode) else ""


def _member(node: _Node, key: str) -> _Node:
    return next((value for name, value in _members(node) if name == key), None)


def _members(node: _Node) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode):
            yield key.value, value
