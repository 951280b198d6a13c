"""Which looks are taken at which type of resource. To add a type: a small module with its looks, and a line here.

A look is a function of a suspect and of AWS. It yields findings, or further suspects that lie behind this one. Each look
stands alone: when one cannot read what it needs, the others still tell what they see.
"""

from collections.abc import Callable, Iterator

from interlock.diagnosis import auto_scaling_group, custom_resource, db_instance, ecs_service, nested_stack
from interlock.diagnosis.aws import Aws
from interlock.models.finding import Finding, Suspect

Look = Callable[[Suspect, Aws], Iterator[Finding | Suspect]]

_LOOKS: dict[str, tuple[Look, ...]] = {
    "AWS::ECS::Service": (
        ecs_service.rollout,
        ecs_service.stopped_tasks,
        ecs_service.target_health,
        ecs_service.events,
    ),
    "AWS::CloudFormation::CustomResource": (custom_resource.function_log,),
    "AWS::CloudFormation::Stack": (nested_stack.unfinished,),
    "AWS::RDS::DBInstance": (db_instance.status, db_instance.events),
    "AWS::AutoScaling::AutoScalingGroup": (auto_scaling_group.activities,),
}
_CUSTOM = "Custom::"


def looks_at(resource_type: str) -> tuple[Look, ...]:
    """None for a type that nothing is known of."""
    kind = "AWS::CloudFormation::CustomResource" if resource_type.startswith(_CUSTOM) else resource_type
    return _LOOKS.get(kind, ())
