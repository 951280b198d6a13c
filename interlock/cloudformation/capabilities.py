"""Capabilities: what a template may be allowed to do, and what it needs to be allowed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interlock.models.environment import Capability

_NAME_PROPERTY = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}
"""The types that need a capability, and the property that makes it CAPABILITY_NAMED_IAM."""
_MAKES_A_ROLE = frozenset({"AWS::Serverless::Function", "AWS::Serverless::StateMachine"})
"""Types whose transform adds a role unless they are given one."""


def known(names: Sequence[str]) -> tuple[Capability, ...]:
    return tuple(dict.fromkeys(Capability(name) for name in names if name in set(Capability)))


def problems(template: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """Capabilities that do not exist, and those that the template needs and nobody named."""
    for name in names:
        if name not in set(Capability):
            yield f"capabilities/{name}: unknown (there are {', '.join(Capability)})."
    for capability, why in needed(template).items():
        if not _is_covered(capability, names):
            yield f"capabilities: {capability} is missing: {why}."


def _is_covered(capability: Capability, names: Sequence[str]) -> bool:
    return capability in names or (capability is Capability.IAM and Capability.NAMED_IAM in names)


def needed(template: Mapping[str, Any]) -> dict[Capability, str]:
    """What the template needs to be allowed, each with the reason."""
    found = {} if not template.get("Transform") else {Capability.AUTO_EXPAND: "the template uses a transform"}
    named = [each for each in _iam_resources(template) if each[1]]
    if named:
        return found | {Capability.NAMED_IAM: f"Resources/{named[0][0]} gives an IAM resource a name"}
    if first := next(_iam_resources(template), None):
        return found | {Capability.IAM: f"Resources/{first[0]} makes an IAM resource"}
    return found


def _iam_resources(template: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Logical ids of what makes IAM resources, and whether it gives them a name."""
    resources = template.get("Resources")
    for logical_id, resource in resources.items() if isinstance(resources, dict) else ():
        kind, given = (resource.get("Type"), resource.get("Properties")) if isinstance(resource, dict) else (None, None)
        properties = given if isinstance(given, dict) else {}
        if kind in _NAME_PROPERTY:
            yield logical_id, _NAME_PROPERTY[kind] in properties
        elif kind in _MAKES_A_ROLE and "Role" not in properties:
            yield logical_id, False
