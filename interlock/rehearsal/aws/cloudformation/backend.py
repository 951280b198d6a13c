"""MiniStack's provisioners behind one narrow door. Whatever they cannot build, a stand-in replaces.

They are internals of exactly MiniStack 1.5.33 (pinned): tests/integration/test_rehearsal_aws.py notices when they move.
"""

import importlib
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from interlock.rehearsal.aws.cloudformation import standins
from interlock.rehearsal.aws.cloudformation.state import Place, Resource

Json = dict[str, Any]

# Types whose MiniStack provisioner starts containers, blocks its thread until somebody answers, or opens ports.
_NEVER_BUILT = (
    "AWS::CloudFormation::",
    "AWS::DocDB::DB",
    "AWS::ECS::Service",
    "AWS::EKS::",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::IoT::Certificate",
    "AWS::OpenSearchService::",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "Custom::",
)


@dataclass(frozen=True)
class Built:
    """A resource's identity; `standin_reason` says why it is not a real one of MiniStack's."""

    physical_id: str
    attributes: Json = field(default_factory=dict)
    standin_reason: str | None = None


@cache
def _provisioners() -> Any:
    return importlib.import_module("ministack.services.cloudformation.provisioners")


def warm_up() -> None:
    """Import the provisioners (two seconds), so that the first stack need not wait for it."""
    _provisioners()


def build(place: Place, resource: Resource) -> Built:
    reason = _why_never(resource.resource_type)
    if reason is None:
        try:
            with _scope(place):
                physical_id, attributes = _provisioners()._provision_resource(  # noqa: SLF001 - see the head of this file
                    resource.resource_type, resource.logical_id, _tagged(place, resource), place.stack_name
                )
            return Built(str(physical_id), dict(attributes or {}))
        except Exception as error:  # noqa: BLE001 - the simulator's own shortcomings, of any kind, must not fail a rehearsal
            reason = f"MiniStack could not build it: {error or type(error).__name__}"
    return Built(
        standins.physical_id(place, resource.resource_type, resource.logical_id, resource.properties),
        {},
        _shortened(reason),
    )


def change(place: Place, resource: Resource, properties: Json) -> Built:
    """Update in place; a stand-in, or what MiniStack cannot change, keeps its identity."""
    unchanged = Built(resource.physical_id, resource.attributes)
    if resource.is_standin:
        return unchanged
    try:
        with _scope(place):
            physical_id, attributes = _provisioners()._update_resource(  # noqa: SLF001 - see the head of this file
                resource.resource_type, resource.physical_id, resource.properties, properties, place.stack_name,
                resource.logical_id, resource.attributes,
            )  # fmt: skip
    except Exception as error:  # noqa: BLE001 - as in `build`
        reason = f"MiniStack could not change it: {error or type(error).__name__}"
        return Built(resource.physical_id, resource.attributes, _shortened(reason))
    return Built(str(physical_id), {**resource.attributes, **(attributes or {})})


def remove(place: Place, resource: Resource) -> None:
    if resource.is_standin or not resource.physical_id:
        return
    try:
        with _scope(place):
            _provisioners()._delete_resource(  # noqa: SLF001 - see the head of this file
                resource.resource_type, resource.physical_id, resource.properties, place.stack_name, resource.logical_id
            )
    except Exception:  # noqa: BLE001, S110 - as in `build`; a resource someone else removed is removed
        pass


def stored_parameter(place: Place, name: str) -> str:
    """An SSM parameter's value: MiniStack's, or a made-up one."""
    ssm = importlib.import_module("ministack.services.ssm")
    with _scope(place):
        found = ssm._parameters.get(name) or ssm._parameters.get(f"/{name}")  # noqa: SLF001 - the store has no public reader
    return str(found["Value"]) if found else standins.ssm_value(place, name)


def stored_object(account: str, region: str, bucket: str, key: str) -> str | None:
    """A text file in MiniStack's S3."""
    s3 = importlib.import_module("ministack.services.s3")
    with _scope(Place(account, region, "", "")):
        content = s3._get_object_data(bucket, key)  # noqa: SLF001 - as above
    return content.decode() if content is not None else None


def _scope(place: Place) -> Any:
    return importlib.import_module("ministack.core.responses").request_scope(place.account, place.region)


def _tagged(place: Place, resource: Resource) -> Json:
    tags = [{"Key": key, "Value": value} for key, value in resource.tags.items()]
    return dict(
        _provisioners()._with_stack_tags(  # noqa: SLF001 - see the head of this file
            resource.resource_type, resource.properties, tags, place.stack_name, place.stack_id, resource.logical_id
        )
    )


def _why_never(resource_type: str) -> str | None:
    if resource_type.startswith(_NEVER_BUILT):
        return "never built in a rehearsal (it would need containers or somebody's answer)"
    if resource_type not in _provisioners()._RESOURCE_HANDLERS:  # noqa: SLF001 - see the head of this file
        return "MiniStack does not know this type"
    return None


def _shortened(reason: str) -> str:
    return reason if len(reason) <= 300 else f"{reason[:297]}..."  # noqa: PLR2004 - a report line, no more
