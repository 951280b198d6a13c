"""Reading a template, and refusing a malformed one in AWS's words."""

import json
from typing import Any

import yaml

from interlock.rehearsal.aws.cloudformation.errors import RefusalError, invalid, malformed

Json = dict[str, Any]
_SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs",
        "Parameters", "Resources", "Rules", "Transform",
    }
)  # fmt: skip
_BODY_LIMIT = 51_200


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms; dates stay text, as CloudFormation reads them."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> Json:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise malformed(f"!{tag} has no value.")
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: str(node.value))


def parse(body: str) -> Json:
    """The template as it is written (before transforms).

    Raises:
        RefusalError: it is too long, not well-formed, or not a template.
    """
    if len(body.encode()) > _BODY_LIMIT:
        raise RefusalError(
            "ValidationError",
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_BODY_LIMIT}",
        )
    return parse_document(body)


def parse_document(body: str) -> Json:
    """As `parse`, without the limit on inline bodies (for templates that lie in S3)."""
    template = _parse_json(body) if body.lstrip().startswith("{") else _parse_yaml(body)
    if not isinstance(template, dict):
        raise malformed("unsupported structure.")
    check_sections(template)
    return template


def _parse_json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return _parse_yaml(body, language="JSON")  # flow-style YAML starts with a brace too


def _parse_yaml(body: str, language: str = "YAML") -> Any:
    try:
        return yaml.load(body, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise malformed(f"{language} not well-formed.{where}") from error


def check_sections(template: Json) -> None:
    unknown = [str(name) for name in template if name not in _SECTIONS]
    if unknown:
        raise invalid(f"Invalid template property or properties [{', '.join(unknown)}]")
    if not isinstance(template.get("Resources"), dict) or not template["Resources"]:
        raise malformed("At least one Resources member must be defined.")
    for section in ("Parameters", "Mappings", "Conditions", "Outputs"):
        if section in template and not isinstance(template[section], dict):
            raise malformed(f"[/{section}] Every {section} member must be an object.")
    check_resources(template["Resources"])
    _check_members(template, "Parameters", "Type")
    _check_members(template, "Outputs", "Value")


def _check_members(template: Json, section: str, needed: str) -> None:
    for name, member in (template.get(section) or {}).items():
        is_loop = name.startswith("Fn::ForEach")
        if not is_loop and (not isinstance(member, dict) or needed not in member):
            raise malformed(f"[/{section}/{name}] Every {section} object must contain a {needed} member.")


def check_resources(resources: Json) -> None:
    """Every member must be a resource, but for the loops and insertions that a transform will replace."""
    for logical_id, definition in resources.items():
        if logical_id.startswith(("Fn::ForEach", "Fn::Transform")):
            continue
        if not isinstance(definition, dict):
            raise malformed(f"[/Resources/{logical_id}] Every Resources member must be an object.")
        if not isinstance(definition.get("Type"), str):
            raise malformed(f"[/Resources/{logical_id}] Every Resources object must contain a Type member.")


def transforms_of(template: Json) -> list[str]:
    """The names of the top-level transforms, in order."""
    declared = template.get("Transform") or []
    listed = declared if isinstance(declared, list) else [declared]
    return [str(item.get("Name")) if isinstance(item, dict) else str(item) for item in listed]
