"""From a request to a blueprint: template, parameters, transforms, capabilities, tags."""

import asyncio
from urllib.parse import urlparse

from interlock.rehearsal.aws.cloudformation import backend
from interlock.rehearsal.aws.cloudformation.dependencies import check_references, graph_of
from interlock.rehearsal.aws.cloudformation.errors import RefusalError, invalid
from interlock.rehearsal.aws.cloudformation.parameters import resolve_stored, settle
from interlock.rehearsal.aws.cloudformation.request import Request
from interlock.rehearsal.aws.cloudformation.state import Blueprint, Json, Place, Stack
from interlock.rehearsal.aws.cloudformation.templates import check_resources, parse, parse_document, transforms_of
from interlock.rehearsal.aws.cloudformation.transforms import expand

_NAMED_IAM = {
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
}
_OTHER_IAM = frozenset({"AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::UserToGroupAddition"})


async def draw(request: Request, stack: Stack | None) -> Blueprint:
    """Raises:
    RefusalError: the template, the parameters or the capabilities are not in order.
    """
    body, template = read_template(request, stack)
    previous = stack.blueprint if stack else Blueprint()
    specs = template.get("Parameters") or {}
    parameters = settle(specs, request.items("Parameters"), previous.parameters)
    place = stack.place if stack else Place(request.account, request.region, request.required("StackName"), "")
    resolved = resolve_stored(specs, parameters, lambda name: backend.stored_parameter(place, name))
    tags = {tag["Key"]: tag["Value"] for tag in request.items("Tags")} if "Tags" in request.fields else previous.tags
    return Blueprint(
        body=body,
        template=await _processed(request, template, {**parameters, **resolved}, place),
        parameters=parameters,
        resolved=resolved,
        tags=tags,
        capabilities=tuple(request.items("Capabilities")),
        role_arn=request.text("RoleARN") or previous.role_arn,
        notification_arns=tuple(request.items("NotificationARNs")) or previous.notification_arns,
    )


def read_template(request: Request, stack: Stack | None) -> tuple[str, Json]:
    """The body and what it says, from wherever the request points to."""
    if request.flag("UsePreviousTemplate") and stack:
        return stack.blueprint.body, parse_document(stack.blueprint.body)
    if body := request.text("TemplateBody"):
        return body, parse(body)
    if url := request.text("TemplateURL"):
        body = _fetched(request, url)
        return body, parse_document(body)
    raise invalid("Either Template URL or Template Body must be specified.")


def check_draft(template: Json) -> None:
    """What can be said about a template before its transforms ran."""
    if not transforms_of(template):
        graph_of(template["Resources"])
        check_references(template)


def required_capabilities(resources: Json) -> list[str]:
    definitions = [definition for definition in resources.values() if isinstance(definition, dict)]
    types = [(definition.get("Type"), definition.get("Properties") or {}) for definition in definitions]
    if any(kind in _NAMED_IAM and _NAMED_IAM[kind] in properties for kind, properties in types):
        return ["CAPABILITY_NAMED_IAM"]
    return ["CAPABILITY_IAM"] if any(kind in _NAMED_IAM or kind in _OTHER_IAM for kind, _ in types) else []


def check_capabilities(resources: Json, given: tuple[str, ...]) -> None:
    """IAM resources must be acknowledged; a named one counts for both."""
    wanted = required_capabilities(resources)
    enough = {*given, *(["CAPABILITY_IAM"] if "CAPABILITY_NAMED_IAM" in given else [])}
    _refuse_missing([name for name in wanted if name not in enough])


def check_expansion(template: Json, given: list[str], *, is_change_set: bool) -> None:
    """Macros must be acknowledged; AWS's own need it only without a change set, which would show what they made."""
    transforms = [name for name in transforms_of(template) if not (is_change_set and name.startswith("AWS::"))]
    nested = any(
        spec.get("Type") == "AWS::Serverless::Application"
        for spec in template["Resources"].values()
        if isinstance(spec, dict)
    )
    if (transforms or nested) and "CAPABILITY_AUTO_EXPAND" not in given:
        _refuse_missing(["CAPABILITY_AUTO_EXPAND"])


def _refuse_missing(names: list[str]) -> None:
    if names:
        raise RefusalError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(names)}]")


async def _processed(request: Request, template: Json, parameters: dict[str, str], place: Place) -> Json:
    note = request.cloud.noter(Stack(place))
    check_draft(template)  # after transforms, references may lead to what only AWS's macro would have added
    processed = await asyncio.to_thread(expand, template, parameters, request.region, note)
    check_resources(processed.get("Resources") or {})
    graph_of(processed["Resources"])
    return processed


def _fetched(request: Request, url: str) -> str:
    parsed = urlparse(url)
    host, path = parsed.hostname or "", parsed.path.lstrip("/")
    bucket, key = (host.split(".s3")[0], path) if ".s3" in host else (path.partition("/")[0], path.partition("/")[2])
    body = backend.stored_object(request.account, request.region, bucket, key)
    if body is None:
        raise invalid("S3 error: The specified key does not exist.")
    return body
