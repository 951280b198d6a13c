"""AWS: who are we there, for each environment, and may we do what a deployment does? Reads alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from interlock.clock import Clock, utc_now
from interlock.cloudformation import clients
from interlock.cloudformation.aws_errors import recovery_of, translated
from interlock.doctor import clocks
from interlock.doctor.findings import Check, Verdict, not_checked, ok, problem, warning
from interlock.errors import CloudFormationRefusedError
from interlock.models.environment import Environment

STACK_ACTIONS = tuple(
    f"cloudformation:{name}"
    for name in (
        "CancelUpdateStack",
        "ContinueUpdateRollback",
        "CreateChangeSet",
        "DeleteChangeSet",
        "DeleteStack",
        "DescribeChangeSet",
        "DescribeStackEvents",
        "DescribeStacks",
        "ExecuteChangeSet",
        "ListChangeSets",
    )
)
"""What deployments and recoveries do to a stack: the statement Stacks of deployments/aws/worker-role.yaml; a test compares them."""
_ROLE = "Give the role what deployments/aws/worker-role.yaml has, with this stack among its StackNames."
_IN_ASSUMED_ROLE = 2  # assumed-role/NAME/SESSION


def checks(environments: Sequence[Environment], *, clock: Clock = utc_now) -> list[Check]:
    found: list[Check] = []
    for where, environment in (pair for each in environments for pair in _each_stack(each)):
        name = f"AWS for {where}"
        found.append(Check(name, partial(identity, environment)))
        found.append(Check(f"permissions for {where}", partial(permissions, environment), needs=name))
    if environments:
        found.append(Check("clock and AWS", partial(clock_skew, environments[0], clock)))
    return found


def _each_stack(environment: Environment) -> Iterator[tuple[str, Environment]]:
    if not environment.stacks_before:
        yield environment.name, environment
        return
    for stack in environment.stacks:
        yield f"{environment.name}, stack {stack}", environment.at(stack)


def identity(environment: Environment) -> Verdict:
    """Who we are there, by the environment's role, and whether we see its stack."""
    arn = _caller(environment)["Arn"]
    stack = clients.cloudformation(environment).stack(environment.stack_name, certain=False)
    if stack is None:
        return ok(f"{arn}; the stack {environment.stack_name} does not exist yet")
    if stack.state.needs_recovery:
        return warning(f"{arn}; the stack {stack.name} is {stack.status}", recovery_of(stack.state, environment.name))
    return ok(f"{arn}; the stack {stack.name} is {stack.status}")


def permissions(environment: Environment) -> Verdict:
    """By IAM's own simulation, if we may ask for it: nothing else tells a right without using it."""
    caller = _caller(environment)["Arn"]
    role = role_of(caller)
    if role is None:
        return not_checked(f"IAM does not simulate {caller.rpartition(':')[2]}")
    try:
        denied = _denied(environment, role, caller.split(":")[4])
    except CloudFormationRefusedError as refusal:
        return not_checked(f"we may not ask IAM (iam:SimulatePrincipalPolicy): {refusal.code}")
    if denied:
        return problem(f"{role} may not {', '.join(denied)} on {environment.stack_name}", _ROLE)
    return ok(f"{role} may do what a deployment does to {environment.stack_name}")


def clock_skew(environment: Environment, clock: Clock) -> Verdict:
    date = _caller(environment)["ResponseMetadata"]["HTTPHeaders"].get("date")
    theirs: datetime | None = parsedate_to_datetime(date) if date else None
    return clocks.compare(theirs, clock(), whose="AWS")


def role_of(caller: str) -> str | None:
    """The IAM principal behind a caller's ARN; None for the account's root. A role's path is not in a session's ARN."""
    prefix, _, resource = caller.partition(":sts:")
    account, _, name = resource.lstrip(":").partition(":")
    parts = name.split("/")
    if parts[0] == "assumed-role" and len(parts) > _IN_ASSUMED_ROLE:
        return f"{prefix}:iam::{account}:role/{parts[1]}"
    return caller if ":user/" in caller else None


def _denied(environment: Environment, role: str, account: str) -> list[str]:
    partition = role.split(":")[1]
    stack = f"arn:{partition}:cloudformation:{environment.region}:{account}:stack/{environment.stack_name}/*"
    with translated(environment.name):
        answer = _client(environment, "iam").simulate_principal_policy(
            PolicySourceArn=role,
            ActionNames=list(STACK_ACTIONS),
            ResourceArns=[stack],
            ContextEntries=[
                _context("aws:RequestedRegion", environment.region),
                *([_context("cloudformation:RoleArn", arn)] if (arn := environment.service_role_arn) else []),
            ],
        )
    return [each["EvalActionName"] for each in answer["EvaluationResults"] if each["EvalDecision"] != "allowed"]


def _context(name: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}


def _caller(environment: Environment) -> Mapping[str, Any]:
    with translated(environment.name):
        answer: Mapping[str, Any] = _client(environment, "sts").get_caller_identity()
    return answer


def _client(environment: Environment, service: str) -> Any:
    session: Any = clients.session(environment)
    return session.client(service, config=clients.brief_config())
