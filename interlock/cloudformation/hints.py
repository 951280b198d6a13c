"""What a failure's text usually means, for the person who has to do something about it."""

import re

_HINTS: tuple[tuple[str, str], ...] = (
    # (what CloudFormation or the resource's service says, what to do), the most particular first
    (r"^User Initiated", "Somebody cancelled the operation."),
    (
        r"EarlyValidation|hook\(s\)/validation failed|Hook failed|HandlerErrorCode: NonCompliant|HookFailed",
        "A validation hook refused the change: `aws cloudformation describe-events` on the change set says why.",
    ),
    (
        r"[Cc]ircuit breaker|ECS [Dd]eployment",
        "The new ECS tasks do not stay up: look at the stopped tasks' reasons and the container's log.",
    ),
    (
        r"did not stabilize|NotStabilized|failed to stabilize|Exceeded attempts to wait",
        "The resource did not become ready in time: look at its own console page and logs (health checks, capacity).",
    ),
    (
        r"[Cc]ustom [Rr]esource.*(timed? ?out|failed to return)|did not receive a response from your [Cc]ustom",
        "The custom resource's function did not answer CloudFormation: look at its log, and at its network access.",
    ),
    (
        r"Received response status \[FAILED\]",
        "The custom resource's function reported a failure: look at its log for the cause.",
    ),
    (
        r"Resource timed out|WaitCondition timed out|Failed to receive \d+ resource signal",
        "The expected signal did not come: look at the instance's own log (cfn-init, user data).",
    ),
    (
        r"already exists|AlreadyExists|already associated",
        "Something outside this stack has that name: remove it, import it, or let CloudFormation choose the name.",
    ),
    (
        r"AccessDenied|[Nn]ot authorized|UnauthorizedOperation|UnauthorizedTaggingOperation",
        "The role that CloudFormation works with lacks this permission: add it to the service role.",
    ),
    (
        r"[Ll]imit ?[Ee]xceeded|ServiceLimit|[Qq]uota|maximum number of|LimitExceeded",
        "A quota of the account is used up: raise it, or remove what is no longer needed.",
    ),
    (
        r"Throttling|Rate exceeded|TooManyRequests",
        "AWS throttled the resource's service: deploy again, perhaps with fewer resources changing at once.",
    ),
    (
        r"Transform .* failed|[Mm]acro",
        "The template's transform or macro failed: check its input, and that this account and region may read it.",
    ),
    (
        r"Attribute '.*' does not exist|GetAtt",
        "An output or a reference asks for an attribute that the resource does not have: correct the Fn::GetAtt.",
    ),
    (
        r"Export .* cannot be (deleted|updated)|No export named|is in use by",
        "Another stack uses this export (or should provide it): deploy the stacks in the order of their dependence.",
    ),
    (
        r"Requires capabilities",
        "Name the capabilities in the request or in the environments file.",
    ),
    (
        r"TerminationProtection",
        "Termination protection is on: switch it off by hand if the stack may go.",
    ),
    (
        r"HandlerErrorCode: InvalidRequest|[Vv]alidation ?(error|exception|failed)|Invalid|must be ",
        "The resource's service refused a property's value: correct it in the template or the parameters.",
    ),
    (
        r"HandlerErrorCode: NotFound|does not exist|not found",
        "The resource refers to something that does not exist in this account and region.",
    ),
)


def hint_for(reason: str) -> str | None:
    """What to do about a failure with this reason, if its kind is known."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, reason)), None)
