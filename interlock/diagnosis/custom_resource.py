"""A custom resource that does not answer: who should, and where that one's log is.

Of the resource's properties only the service token is taken: the others may hold secrets.
"""

import json
from collections.abc import Iterator

from interlock.console_links import log_group_link
from interlock.diagnosis.aws import Answer, Aws
from interlock.diagnosis.findings import finding
from interlock.models.finding import Finding, Suspect

_MOST_PAGES = 3
_FUNCTION_ARN_PARTS = 7


def function_log(suspect: Suspect, aws: Aws) -> Iterator[Finding]:
    token = _service_token(suspect, aws)
    parts = (token or "").split(":")
    if token is None:
        yield finding(f"{suspect.logical_id}: the stack's events do not name its service token; see the template.")
    elif len(parts) >= _FUNCTION_ARN_PARTS and parts[2] == "lambda":
        region, name = parts[3], parts[6]
        text = (
            f"{suspect.logical_id} is answered for by the function {name}: see its log (/aws/lambda/{name} by default)."
        )
        yield finding(text, log_group_link(region, f"/aws/lambda/{name}"), f"Log of {name}")
    else:
        yield finding(f"{suspect.logical_id} is answered for by whoever listens to {token}: look at its subscribers.")


def _service_token(suspect: Suspect, aws: Aws) -> str | None:
    """From the properties that CloudFormation shows in the events of the resource, newest first."""
    arguments = {"StackName": suspect.stack_id}
    for _ in range(_MOST_PAGES):
        page = aws.ask("cloudformation", "describe_stack_events", **arguments)
        for event in page["StackEvents"]:
            if event.get("LogicalResourceId") == suspect.logical_id and (token := _token_in(event)):
                return token
        if not page.get("NextToken"):
            return None
        arguments["NextToken"] = page["NextToken"]
    return None


def _token_in(event: Answer) -> str | None:
    try:
        token = json.loads(event.get("ResourceProperties") or "{}").get("ServiceToken")
    except (ValueError, AttributeError):  # cut short, or no object
        return None
    return token if isinstance(token, str) else None
