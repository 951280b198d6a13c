"""What a CreateChangeSet is asked with, apart from the template."""

from collections.abc import Mapping, Sequence
from typing import Any

from interlock.models.environment import Environment
from interlock.models.stack import Stack

CORRELATION_ID_TAG = "interlock:correlation-id"


def create_arguments(
    environment: Environment,
    *,
    parameters: Mapping[str, str],
    capabilities: Sequence[str],
    tags: Mapping[str, str],
    stack: Stack | None,
    token: str,
) -> dict[str, Any]:
    role = {"RoleARN": environment.service_role_arn} if environment.service_role_arn else {}
    return role | {
        "StackName": environment.stack_name,
        "ChangeSetType": "CREATE" if stack is None or stack.state.is_review or stack.state.is_gone else "UPDATE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(parameters.items())],
        "Capabilities": list(capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(_tags(tags, stack, token).items())],
        "ClientToken": token,
    }


def _tags(tags: Mapping[str, str], stack: Stack | None, token: str) -> dict[str, str]:
    """The stack keeps the correlation id that created it. A new one with each update would be a change to every
    resource of the stack: no deployment would ever find "nothing to change", and each would touch everything.
    """
    if stack is None or stack.state.is_review or stack.state.is_gone:
        return {**tags, CORRELATION_ID_TAG: token}
    created_by = stack.tags.get(CORRELATION_ID_TAG)
    return {**tags, CORRELATION_ID_TAG: created_by} if created_by else dict(tags)
