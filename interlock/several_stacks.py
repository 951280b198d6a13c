"""An environment of several stacks, which are deployed in their order, as one deployment.

The deployment is at one stack at a time, and everything that a single stack is dealt with by deals with that one
(`Environment.at`). Here is what concerns them all.
"""

from collections.abc import Callable

from interlock.cloudformation.gateway import CloudFormation
from interlock.cloudformation.requests import CheckedRequest, check_request
from interlock.cloudformation.templates import Template
from interlock.errors import ExitCode, InvalidRequestError
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.models.request import DeploymentRequest
from interlock.models.stack import Stack
from interlock.secret_values.redactor import Redactor


def stack_to_look_at(read: Callable[[str], Stack | None], environment: Environment) -> Stack | None:
    """The environment's stack; of several the one where an operation runs, or one that needs a person, or the last.

    `read` is CloudFormation.stack, as certain as the caller needs it; what it raises is raised.
    """
    stacks = [read(name) for name in environment.stacks]
    known = [stack for stack in stacks if stack is not None]
    busy = (stack for stack in known if stack.state.is_in_progress)
    broken = (stack for stack in known if stack.state.needs_recovery)
    return next(busy, None) or next(broken, None) or stacks[-1]


def check_each(
    request: DeploymentRequest,
    environment: Environment,
    load: Callable[[DeploymentRequest], Template],
    gateway: CloudFormation | None = None,
    *,
    redactor: Redactor | None = None,
) -> dict[str, CheckedRequest]:
    """The request for each stack of the environment, in their order: each template takes the parameters that it declares.

    Raises:
        InvalidRequestError: with every problem of every stack.
        CloudFormationUnavailableError: AWS could not be asked.
    """
    checked: dict[str, CheckedRequest] = {}
    given, wanted = set(request.templates), set(environment.stacks_before)
    problems = [
        *(f"templates: there is none of the stack {name}" for name in sorted(wanted - given)),
        *(f"templates/{name}: {environment.name} has no such stack" for name in sorted(given - wanted)),
    ]
    for name in environment.stacks:
        if name in wanted - given:
            continue
        own = request.of_stack(name)
        try:
            checked[name] = check_request(
                own, environment.at(name), load(own), gateway, redactor=redactor, takes_what_it_declares=True
            )
        except InvalidRequestError as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if len(checked) == len(environment.stacks):  # otherwise nobody knows what the others declare
        taken = {parameter for each in checked.values() for parameter in each.parameters}
        problems += [
            f"parameters/{name}: none of the templates declares it" for name in sorted(set(request.parameters) - taken)
        ]
    if problems:
        raise InvalidRequestError(problems, environment=environment.name)
    return checked


def of_all_stacks(deployment: Deployment, outcome: Outcome) -> Outcome:
    """The deployment's outcome, from the last of its stacks that was dealt with; an ordinary deployment's as it is."""
    if not deployment.stacks:
        return outcome
    if is_good(outcome) and not deployment.stacks_left:
        return outcome.model_copy(
            update={
                "outputs": {**deployment.outputs, **outcome.outputs},
                "application_url": outcome.application_url or deployment.application_url,
                "no_changes": outcome.no_changes and deployment.no_changes,
            }
        )
    status = outcome.status
    if is_good(outcome):
        status = DeploymentStatus.CANCELLED if deployment.cancel_requested else DeploymentStatus.FAILED
    told = [
        f"{deployment.stack_name}: {outcome.reason or f'it ended in {outcome.stack_status}.'}",
        _listed("Deployed before it", deployment.stacks_done),
        _listed("Not deployed", deployment.stacks_left),
    ]
    return outcome.model_copy(update={"status": status, "no_changes": False, "reason": " ".join(filter(None, told))})


def is_good(outcome: Outcome) -> bool:
    """The stack is as its template wants it."""
    return outcome.exit_code is ExitCode.SUCCEEDED


def _listed(what: str, stacks: tuple[str, ...]) -> str:
    return f"{what}: {', '.join(stacks)}." if stacks else ""
