"""The IAM policies of deployments/aws, as tests read them: statements by their Sid."""

from typing import Any

from cfnlint.decode import cfn_yaml

from deployments import ROOT


def statements(template: str) -> dict[str, dict[str, Any]]:
    """Every statement of every policy in the template, also those that depend on a condition."""
    resources = cfn_yaml.load(str(ROOT / "deployments" / "aws" / template))["Resources"].values()
    return {one["Sid"]: one for resource in resources for policy in _policies(resource) for one in _unfolded(policy)}


def actions(template: str, *sids: str) -> set[str]:
    """What these statements allow."""
    found = statements(template)
    assert all(found[sid]["Effect"] == "Allow" for sid in sids)
    return {action for sid in sids for action in _listed(found[sid]["Action"])}


def _policies(resource: dict[str, Any]) -> list[dict[str, Any]]:
    properties = resource["Properties"]
    embedded = [each["PolicyDocument"] for each in properties.get("Policies", ())]
    return [*embedded, properties["PolicyDocument"]] if "PolicyDocument" in properties else embedded


def _unfolded(policy: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["Fn::If"][1] if "Fn::If" in each else each for each in policy["Statement"]]


def _listed(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]
