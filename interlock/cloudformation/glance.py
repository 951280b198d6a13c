"""A template at a glance: which parameters are `NoEcho`, for a client that must not import cfn-lint (2 s) to know; and
whether its text can be read without harm.
"""

from collections.abc import Iterator

import yaml

MOST_LEVELS = 200
"""Of nesting. Real templates have some twenty; PyYAML in Python gives up at some 300."""
_Node = yaml.Node | None
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def is_nested_too_deeply(text: str) -> bool:
    """To be asked before anything composes the text, cfn-lint too: libyaml's composer recurses in C without a limit, and
    some ten thousand brackets end the process with a segmentation fault. Its parser, asked here, does not recurse.
    """
    level = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if level > MOST_LEVELS:
                return True
    except yaml.YAMLError:
        return False  # nobody composes beyond this error
    return False


def no_echo_parameters(text: str) -> frozenset[str]:
    """By the template's text, YAML or JSON. In doubt none: the worker reads it again, and thoroughly.

    Only composed, never constructed: CloudFormation's tags mean nothing here, and aliases expand to nothing.
    """
    text = text.replace("\t", " ")
    try:
        root = None if is_nested_too_deeply(text) else yaml.compose(text, Loader=_Loader)
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
