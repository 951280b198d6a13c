"""Several stacks as one deployment: which of them is looked at, what is checked, and how their ends are one end."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from interlock.cloudformation.templates import Template
from interlock.errors import InvalidRequestError
from interlock.models.deployment import Deployment, DeploymentStatus
from interlock.models.environment import Environment
from interlock.models.outcome import Outcome
from interlock.models.request import DeploymentRequest
from interlock.models.stack import Stack
from interlock.several_stacks import check_each, of_all_stacks, stack_to_look_at

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)
NAMES = ("network", "data", "app")
PRODUCTION = Environment(name="production", stack_name="app", stacks_before=("network", "data"), region="eu-west-1")
GOOD = Outcome(status=DeploymentStatus.SUCCEEDED, stack_status="UPDATE_COMPLETE", outputs={"Url": "http://x"})
BAD = Outcome(status=DeploymentStatus.ROLLED_BACK, stack_status="UPDATE_ROLLBACK_COMPLETE", reason="It did not work.")


def at(stack_name: str, **changes: object) -> Deployment:
    return Deployment(
        correlation_id="20260301-100000-00000001",
        environment="production",
        stack_name=stack_name,
        stacks=NAMES,
        region="eu-west-1",
        started_at=NOW,
        updated_at=NOW,
        asked_at=NOW,
    ).model_copy(update=changes)


def template(*parameters: str) -> str:
    declared = "".join(f"  {name}: {{Type: String}}\n" for name in parameters)
    used = "".join(f"      - {{Key: {name}, Value: !Ref {name}}}\n" for name in parameters)
    tags = f"    Properties:\n     Tags:\n{used}" if parameters else ""
    section = f"Parameters:\n{declared}" if parameters else ""
    return f"{section}Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n{tags}"


def load(request: DeploymentRequest) -> Template:
    return Template(body=request.template)


def asked(**changes: object) -> DeploymentRequest:
    templates = {"network": template("Cidr"), "data": template()}
    request = DeploymentRequest(
        environment="production",
        template=template("Image"),
        templates=templates,
        parameters={"Cidr": "10.0.0.0/8", "Image": "1.4"},
    )
    return request.model_copy(update=changes)


@pytest.mark.parametrize(
    ("statuses", "looked_at"),
    [
        (("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE"), "app"),
        (("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"), "data"),
        (("UPDATE_ROLLBACK_FAILED", "UPDATE_COMPLETE", "UPDATE_COMPLETE"), "network"),
        (("UPDATE_ROLLBACK_FAILED", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS"), "app"),
        (("CREATE_IN_PROGRESS", None, None), "network"),
        (("CREATE_COMPLETE", None, None), None),
    ],
)
def test_the_stack_to_look_at_is_the_busy_one_or_the_stuck_one_or_the_last(
    statuses: tuple[str | None, ...], looked_at: str | None
) -> None:
    status_of = dict(zip(NAMES, statuses, strict=True))

    def read(name: str) -> Stack | None:
        status = status_of[name]
        return Stack(name=name, stack_id=f"arn:{name}", status=status) if status else None

    found = stack_to_look_at(read, PRODUCTION)
    assert (found.name if found else None) == looked_at


def test_each_template_takes_the_parameters_that_it_declares() -> None:
    checked = check_each(asked(), PRODUCTION, load)
    assert {name: each.parameters for name, each in checked.items()} == {
        "network": {"Cidr": "10.0.0.0/8"},
        "data": {},
        "app": {"Image": "1.4"},
    }
    assert tuple(checked) == NAMES


def test_every_problem_of_every_stack_is_told_at_once_with_its_stack() -> None:
    request = asked(templates={"network": "Resources: []", "cache": template()}, parameters={"Nobody": "x"})
    with pytest.raises(InvalidRequestError) as raised:
        check_each(request, PRODUCTION, load)
    told = "\n".join(raised.value.problems)
    assert "templates: there is none of the stack data" in told
    assert "templates/cache: production has no such stack" in told
    assert "network: " in told
    assert "app: parameters/Image: missing" in told


def test_a_parameter_that_no_template_declares_is_refused() -> None:
    request = asked(parameters={**asked().parameters, "Imgae": "1.5"})
    with pytest.raises(InvalidRequestError) as raised:
        check_each(request, PRODUCTION, load)
    assert raised.value.problems == ["parameters/Imgae: none of the templates declares it"]


def test_the_last_good_end_has_the_outputs_of_all() -> None:
    done = at("app", outputs={"Vpc": "vpc-1", "Url": "older"}, no_changes=True)
    whole = of_all_stacks(done, GOOD)
    assert (whole.status, whole.outputs, whole.no_changes) == (
        DeploymentStatus.SUCCEEDED, {"Vpc": "vpc-1", "Url": "http://x"}, False,
    )  # fmt: skip


@pytest.mark.parametrize("is_unchanged", [True, False])
def test_no_changes_means_none_in_any_stack(*, is_unchanged: bool) -> None:
    last = GOOD.model_copy(update={"no_changes": True})
    assert of_all_stacks(at("app", no_changes=is_unchanged), last).no_changes is is_unchanged


def test_a_bad_end_names_its_stack_those_before_it_and_those_not_deployed() -> None:
    assert of_all_stacks(at("data"), BAD).reason == (
        "data: It did not work. Deployed before it: network. Not deployed: app."
    )


@pytest.mark.parametrize(
    ("cancel_requested", "status"), [(True, DeploymentStatus.CANCELLED), (False, DeploymentStatus.FAILED)]
)
def test_promise_10_a_good_end_with_stacks_left_is_no_success(
    *, cancel_requested: bool, status: DeploymentStatus
) -> None:
    ended = of_all_stacks(at("network", cancel_requested=cancel_requested), GOOD)
    assert ended.status is status
    assert "Not deployed: data, app." in (ended.reason or "")


def test_an_ordinary_deployments_outcome_is_left_as_it_is() -> None:
    assert of_all_stacks(at("app", stacks=()), BAD) is BAD


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"stacks_before": ("app",)}, "each stack once"),
        ({"stacks_before": ("data", "data")}, "each stack once"),
        ({"stacks_before": ("data",), "approval": "required"}, "excludes stacks_before"),
        ({"stacks_before": ("data",), "deployer": "command", "command": ("true",)}, "excludes stacks_before"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_the_environments_file(
    changes: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        Environment.model_validate({"name": "x", "stack_name": "app", "region": "eu-west-1", **changes})
