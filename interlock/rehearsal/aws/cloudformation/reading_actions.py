"""The actions that only look."""

import json

from interlock.rehearsal.aws.cloudformation import blueprints
from interlock.rehearsal.aws.cloudformation.errors import invalid
from interlock.rehearsal.aws.cloudformation.parameters import as_text, described, is_no_echo
from interlock.rehearsal.aws.cloudformation.request import Action, Request, page
from interlock.rehearsal.aws.cloudformation.state import Json, Resource, Stack
from interlock.rehearsal.aws.cloudformation.templates import transforms_of

_PAGE_SIZE = 100


async def describe_stacks(request: Request) -> Json:
    named = request.text("StackName")
    stacks = [request.stack()] if named else [stack for stack in _ours(request) if not stack.is_gone]
    shown, token = page(stacks, request.text("NextToken"), _PAGE_SIZE, lambda stack: str(stack.stack_id))
    return {"Stacks": [_described(stack) for stack in shown], "NextToken": token}


async def list_stacks(request: Request) -> Json:
    wanted = request.items("StackStatusFilter")
    stacks = [stack for stack in _ours(request) if not wanted or stack.status in wanted]
    shown, token = page(stacks, request.text("NextToken"), _PAGE_SIZE, lambda stack: str(stack.stack_id))
    return {"StackSummaries": [_summary(stack) for stack in shown], "NextToken": token}


async def describe_stack_events(request: Request) -> Json:
    events = request.stack().events[::-1]
    shown, token = page(events, request.text("NextToken"), _PAGE_SIZE, lambda event: str(event["EventId"]))
    return {"StackEvents": shown, "NextToken": token}


async def list_stack_resources(request: Request) -> Json:
    resources = list(request.stack().resources.values())
    shown, token = page(resources, request.text("NextToken"), _PAGE_SIZE, lambda resource: str(resource.logical_id))
    return {"StackResourceSummaries": [_resource(resource) for resource in shown], "NextToken": token}


async def describe_stack_resources(request: Request) -> Json:
    stack, wanted = request.stack(), request.text("LogicalResourceId")
    ours = [resource for resource in stack.resources.values() if wanted in (None, resource.logical_id)]
    return {"StackResources": [_resource_of(stack, resource) for resource in ours]}


async def describe_stack_resource(request: Request) -> Json:
    stack, name = request.stack(), request.required("LogicalResourceId")
    if name not in stack.resources:
        raise invalid(f"Resource {name} does not exist for stack {stack.name}")
    return {"StackResourceDetail": _resource_of(stack, stack.resources[name])}


async def get_template(request: Request) -> Json:
    change_set = next(
        (one for one in request.cloud.change_sets if request.text("ChangeSetName") in (one.arn, one.name)), None
    )
    blueprint = change_set.blueprint if change_set else request.stack().blueprint
    body = json.dumps(blueprint.template) if request.text("TemplateStage") == "Processed" else blueprint.body
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}


async def validate_template(request: Request) -> Json:
    template, specs = _draft(request)
    return {
        **_summarised(template),
        "Parameters": [
            {
                "ParameterKey": name,
                "DefaultValue": as_text(spec["Default"]) if "Default" in spec else None,
                "NoEcho": is_no_echo(spec),
                "Description": spec.get("Description"),
            }
            for name, spec in specs.items()
        ],
    }


async def get_template_summary(request: Request) -> Json:
    template, specs = _draft(request)
    return {
        **_summarised(template),
        "ResourceTypes": sorted({spec["Type"] for spec in template["Resources"].values() if isinstance(spec, dict)}),
        "Parameters": [
            {
                "ParameterKey": name,
                "DefaultValue": as_text(spec["Default"]) if "Default" in spec else None,
                "ParameterType": spec.get("Type"),
                "NoEcho": is_no_echo(spec),
                "Description": spec.get("Description"),
                "ParameterConstraints": {"AllowedValues": [as_text(value) for value in spec.get("AllowedValues", [])]},
            }
            for name, spec in specs.items()
        ],
    }


async def list_exports(request: Request) -> Json:
    exports = request.cloud.exports(request.account, request.region)
    return {
        "Exports": [
            {"ExportingStackId": owner, "Name": name, "Value": value} for name, (value, owner) in exports.items()
        ]
    }


def _draft(request: Request) -> tuple[Json, Json]:
    stack = request.stack() if request.text("StackName") else None
    if stack:
        request = Request(request.cloud, request.account, request.region, {"UsePreviousTemplate": "true"})
    _, template = blueprints.read_template(request, stack)
    blueprints.check_draft(template)
    return template, template.get("Parameters") or {}


def _summarised(template: Json) -> Json:
    capabilities = blueprints.required_capabilities(template["Resources"])
    transforms = transforms_of(template)
    if transforms:
        capabilities.append("CAPABILITY_AUTO_EXPAND")
    iam = [name for name, spec in template["Resources"].items() if blueprints.required_capabilities({name: spec})]
    return {
        "Description": template.get("Description"),
        "Capabilities": capabilities,
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{', '.join(iam)}]" if iam else None,
        "DeclaredTransforms": transforms,
    }


def _ours(request: Request) -> list[Stack]:
    return request.cloud.stacks_of(request.account, request.region)[::-1]


def _described(stack: Stack) -> Json:
    blueprint = stack.blueprint
    return {
        **_summary(stack),
        "Parameters": described(blueprint.template.get("Parameters") or {}, blueprint.parameters, blueprint.resolved),
        "Outputs": stack.outputs,
        "Capabilities": list(blueprint.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in blueprint.tags.items()],
        "RoleARN": blueprint.role_arn,
        "NotificationARNs": list(blueprint.notification_arns),
        "Description": blueprint.template.get("Description"),
        "DisableRollback": stack.disable_rollback,
        "EnableTerminationProtection": stack.is_protected,
        "RollbackConfiguration": {},
    }


def _summary(stack: Stack) -> Json:
    return {
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "TemplateDescription": stack.blueprint.template.get("Description"),
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason or None,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _resource(resource: Resource) -> Json:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.resource_type,
        "LastUpdatedTimestamp": resource.changed_at,
        "Timestamp": resource.changed_at,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason or None,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def _resource_of(stack: Stack, resource: Resource) -> Json:
    metadata = resource.definition.get("Metadata")
    return {
        "StackName": stack.name,
        "StackId": stack.stack_id,
        "Metadata": json.dumps(metadata, default=str) if metadata else None,
        **_resource(resource),
    }


ACTIONS: dict[str, Action] = {
    "DescribeStackEvents": describe_stack_events,
    "DescribeStackResource": describe_stack_resource,
    "DescribeStackResources": describe_stack_resources,
    "DescribeStacks": describe_stacks,
    "GetTemplate": get_template,
    "GetTemplateSummary": get_template_summary,
    "ListExports": list_exports,
    "ListStackResources": list_stack_resources,
    "ListStacks": list_stacks,
    "ValidateTemplate": validate_template,
}
