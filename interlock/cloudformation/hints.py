"""What a failure's text usually means, for the person who has to do something about it."""

import re
from typing import NamedTuple


class Hint(NamedTuple):
    """`kind` is for programs and stays as it is; `text` is for people."""

    kind: str
    text: str


class _Rule(NamedTuple):
    """A kind of failure, the texts that it is known by, and what to do. `resource_type`: only of that one."""

    kind: str
    pattern: str
    text: str
    resource_type: str | None = None


_NOT_STABILISED = r"did not stabilize|NotStabilized|failed to stabilize|Exceeded attempts to wait"

_RULES: tuple[_Rule, ...] = (
    # The most particular first: many texts name two things, and the generic codes come with all of them.
    _Rule(
        "cancelled-by-person",
        r"^User Initiated|^Stack (creation|update) cancelled",
        "Somebody cancelled the operation.",
    ),
    _Rule(
        "nothing-to-change",
        r"No updates are to be performed|didn't contain changes",
        "The stack is as the template wants it already: there is nothing to do.",
    ),
    _Rule(
        "validation-hook",
        r"EarlyValidation|[Hh]ook\(s\)|Hook failed|HookFailed|HandlerErrorCode: NonCompliant",
        "A validation hook refused the change: `aws cloudformation describe-events` on the change set says why.",
    ),
    _Rule(
        "operation-runs",
        r"is in (?!REVIEW)\w+_IN_PROGRESS state and can ?not be",
        "Another operation runs on the stack: wait for it to end, then deploy again.",
    ),
    _Rule(
        "rollback-failed",
        r"is in UPDATE_ROLLBACK_FAILED state",
        "An earlier rollback is stuck: repair what blocks it, then `aws cloudformation continue-update-rollback`.",
    ),
    _Rule(
        "never-created",
        r"is in (ROLLBACK_\w+|CREATE_FAILED|REVIEW_IN_PROGRESS) state",
        "The stack was never created: delete it (Interlock does so with the next deployment), then deploy again.",
    ),
    _Rule(
        "stack-deleted", r"is in DELETE_\w+ state", "The stack was deleted: deploy again, and it will be created anew."
    ),
    _Rule(
        "change-set-not-executable",
        r"cannot be executed in its current status",
        "The change set is not ready, failed, or was made obsolete: `aws cloudformation describe-change-set` says which.",
    ),
    _Rule(
        "ecs-tasks",
        r"[Cc]ircuit [Bb]reaker|ECS [Dd]eployment",
        "The new ECS tasks do not stay up: look at the stopped tasks' reasons and the container's log.",
    ),
    _Rule(
        "ecs-tasks",
        _NOT_STABILISED,
        "The ECS service did not settle: look at its events, its stopped tasks' reasons and its targets' health.",
        "AWS::ECS::Service",
    ),
    _Rule(
        "not-stabilised",
        _NOT_STABILISED,
        "The resource did not become ready in time: look at its own console page and logs (health checks, capacity).",
    ),
    _Rule(
        "custom-resource-timeout",
        r"[Cc]ustom [Rr]esource.*(timed? ?out|failed to return)|did not receive a response from your [Cc]ustom",
        "The custom resource's function did not answer CloudFormation: look at its log, and at its network access.",
    ),
    _Rule(
        "custom-resource-failed",
        r"Received response status \[FAILED\]",
        "The custom resource's function reported a failure: look at its log for the cause.",
    ),
    _Rule(
        "creation-timeout",
        r"Stack creation time exceeded",
        "The stack's own time limit ended the creation: see which resource was still in progress, or raise the limit.",
    ),
    _Rule(
        "signal-missing",
        r"Resource timed out|WaitCondition timed out|[Ff]ailed to receive \d+ resource signal",
        "The expected signal did not come: look at the instance's own log (cfn-init, user data).",
    ),
    _Rule(
        "alarm",
        r"alarm.*(ALARM state|went into ALARM)|[Rr]ollback (was )?triggered|breached alarm",
        "An alarm of the stack's rollback triggers went off: see the alarm for what the change did.",
    ),
    _Rule(
        "throttled",
        r"Throttl|Rate exceeded|TooManyRequests|RequestLimitExceeded",
        "AWS throttled the requests: deploy again, perhaps with fewer resources changing at once.",
    ),
    _Rule(
        "access-denied",
        r"AccessDenied|Access ?[Dd]enied|[Nn]ot ([Aa]uthorized|[Aa]uthorised)|UnauthorizedOperation|UnauthorizedTaggingOperation",
        "The role that CloudFormation works with lacks this permission: add it to the service role.",
    ),
    _Rule(
        "role-not-assumable",
        r"cannot be assumed|[Uu]nable to assume|[Ii]nvalid principal",
        "A role cannot be assumed, or not yet: check its trust policy; a role made a moment ago may need a DependsOn.",
    ),
    _Rule(
        "already-exists",
        r"already exists|AlreadyExists|already associated|already in use|BucketAlreadyOwnedByYou",
        "Something outside this stack has that name: remove it, import it, or let CloudFormation choose the name.",
    ),
    _Rule(
        "no-capacity",
        r"Insufficient\w*Capacity|[Ii]nsufficient (\w+ )?capacity|not have enough (free )?capacity|capacity.*not available",
        "AWS has no capacity for this in that zone now: choose another zone or size, or deploy again later.",
    ),
    _Rule(
        "limit-exceeded",
        r"[Ll]imit ?[Ee]xceeded|ServiceLimit|[Qq]uota|maximum (number|limit) of|has been reached|exceeds? the limit",
        "A quota of the account is used up: raise it, or remove what is no longer needed.",
    ),
    _Rule(
        "transform-failed",
        r"Transform .* failed|[Mm]acro",
        "The template's transform or macro failed: check its input, and that this account and region may read it.",
    ),
    _Rule(
        "unknown-attribute",
        r"Attribute '.*' does not exist|GetAtt|Unable to retrieve \w+ attribute",
        "An output or a reference asks for an attribute that the resource does not have: correct the Fn::GetAtt.",
    ),
    _Rule(
        "export",
        r"Export .* cannot be (deleted|updated)|No export named|is in use by|Export with name",
        "Another stack uses this export (or should provide it): deploy the stacks in the order of their dependence.",
    ),
    _Rule(
        "in-use",
        r"DependencyViolation|has a dependent object|is not empty|not empty|ResourceInUse|currently in use",
        "Something else still uses it, or it is not empty: remove that first (it may have been made outside the stack).",
    ),
    _Rule(
        "capabilities",
        r"Requires capabilities",
        "Name the capabilities in the request or in the environments file.",
    ),
    _Rule(
        "termination-protection",
        r"TerminationProtection",
        "Termination protection is on: switch it off by hand if the stack may go.",
    ),
    _Rule(
        "circular-dependency",
        r"[Cc]ircular dependency",
        "Resources refer to each other in a circle: take one of the references out of it.",
    ),
    _Rule(
        "artifact-missing",
        r"S3 Error Code: NoSuchKey|NoSuchKey|NoSuchBucket|specified key does not exist|CannotPullContainer",
        "The code or image that the template names is not there: publish it first, and check bucket, key and region.",
    ),
    _Rule(
        "bucket-notification",
        r"validate the following destination configurations",
        "S3 may not yet notify that destination: its permission or queue policy must exist first (DependsOn).",
    ),
    _Rule(
        "change-set-gone",
        r"ChangeSet \[.*\] does not exist",
        "The change set is gone (executed, deleted or made obsolete): deploy again.",
    ),
    _Rule("stack-absent", r"^Stack with id .* does not exist", "Check the stack's name and region."),
    _Rule(
        "deletion-blocked",
        r"failed to delete: \[",
        "Those resources could not be deleted: their own events say why. Repair that, or delete the stack retaining them.",
    ),
    _Rule(
        "nested-stack",
        r"^Embedded stack|[Nn]ested stack",
        "A nested stack failed: its own events say why.",
    ),
    _Rule(
        "invalid-property",
        r"HandlerErrorCode: InvalidRequest|[Vv]alidation ?(error|exception|failed)|[Ii]nvalid|must be |Model validation",
        "The resource's service refused a property's value: correct it in the template or the parameters.",
    ),
    _Rule(
        "not-found",
        r"HandlerErrorCode: NotFound|does not exist|[Nn]ot found|NotFound",
        "The resource refers to something that does not exist in this account and region.",
    ),
    _Rule(
        "service-failure",
        r"Internal ?[Ff]ailure|InternalError|ServiceInternalError|ServiceUnavailable",
        "AWS failed by itself: deploy again, and look at the AWS health dashboard if it repeats.",
    ),
)


def hint_for(reason: str, resource_type: str | None = None) -> Hint | None:
    """What to do about a failure with this reason, if its kind is known."""
    for rule in _RULES:
        if rule.resource_type in (None, resource_type) and re.search(rule.pattern, reason):
            return Hint(rule.kind, rule.text)
    return None
