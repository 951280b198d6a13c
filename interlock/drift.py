"""A stack's drift, looked for before a deployment when somebody asks. It is help: it decides nothing and takes no long time."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from interlock.cloudformation.dependencies import references
from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.lint import template_of
from interlock.cloudformation.parameters import declared_in, is_secret_parameter
from interlock.cloudformation.polling import Pauses, Waiting, first_answer
from interlock.models.drift import Drift, DriftDetection, PropertyDrift, ResourceDrift
from interlock.models.environment import Environment
from interlock.models.stack import Stack

PATIENCE_SECONDS = 120
"""AWS speaks of several minutes for large stacks. Nobody else may deploy meanwhile."""
_PAUSES = Pauses(first_seconds=0.5, longest_seconds=5, patience_seconds=PATIENCE_SECONDS)
_DYNAMIC_REFERENCE = "{{resolve:"


def look_for_drift(cloudformation: CloudFormation, environment: Environment, waiting: Waiting) -> Drift:
    """What differs from the template that is deployed now; values that may be secret are masked.

    Raises:
        CloudFormationRefusedError, CloudFormationUnavailableError, AwsCredentialsError: it cannot be known.
    """
    stack = cloudformation.stack(environment.stack_name, certain=False)
    if stack is None or stack.state.is_never_created:
        return Drift(not_known="there is no stack yet.")
    detection_id = cloudformation.detect_drift(stack.stack_id)

    def ended() -> DriftDetection | None:
        detection = cloudformation.drift_detection(detection_id)
        return detection if detection.is_over else None

    detection = first_answer(ended, _PAUSES, waiting)
    if detection is None:
        return Drift(not_known=f"CloudFormation has not found out within {PATIENCE_SECONDS} s.")
    drifts = cloudformation.resource_drifts(stack.stack_id)
    shown = _without_no_echo(cloudformation, stack, drifts) if drifts else ()
    return Drift(resources=shown, not_known=detection.failure)


def _without_no_echo(
    cloudformation: CloudFormation, stack: Stack, drifts: Sequence[ResourceDrift]
) -> tuple[ResourceDrift, ...]:
    """Masked where the template makes a property of a secret; all of it, where what makes it cannot be read."""
    try:
        template = template_of(cloudformation.get_template(stack))
    except ValueError:
        return tuple(each.masked(lambda _: True) for each in drifts)
    secret = {name for name, declaration in declared_in(template).items() if is_secret_parameter(name, declaration)}
    return tuple(each.masked(_is_secret(template, each.logical_id, secret)) for each in drifts)


def _is_secret(
    template: Mapping[str, Any], logical_id: str, secret: AbstractSet[str]
) -> Callable[[PropertyDrift], bool]:
    definition = (template.get("Resources") or {}).get(logical_id)
    if not isinstance(definition, dict):  # a transform made it, of nobody knows what
        return lambda _: bool(secret)
    properties = definition.get("Properties")
    if not isinstance(properties, dict) or "Fn::Transform" in properties:
        return lambda _: bool(secret)

    def is_secret(drift: PropertyDrift) -> bool:
        source = properties.get(drift.path.strip("/").partition("/")[0])
        return bool(references(source) & secret) or _DYNAMIC_REFERENCE in str(source)

    return is_secret
