"""One drill: what a person wants to rehearse, and what is wrong with it before anything is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from interlock.cloudformation import parameters
from interlock.cloudformation.requests import check_request
from interlock.cloudformation.templates import Template
from interlock.errors import InvalidRequestError
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.rehearsal.aws.cloudformation.errors import RefusalError
from interlock.rehearsal.aws.cloudformation.templates import parse_document
from interlock.rehearsal.aws.cloudformation.transforms import expand

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Drill:
    """A template, and what is to go wrong with which of its resources."""

    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    fail: str | None = None
    stall: str | None = None

    def request(self, environment: str) -> DeploymentRequest:
        return DeploymentRequest(
            environment=environment,
            template=self.template,
            parameters=self.asked_parameters,
            capabilities=self.capabilities,
            actor="rehearsal",
        )

    @property
    def asked_parameters(self) -> dict[str, str]:
        """As a real request must give them: plain values of `NoEcho` parameters as references to `secrets`."""
        return {
            **self.parameters,
            **{name: f"secret:secretsmanager:{_secret_id(name)}" for name in self._plain_secrets},
        }

    @property
    def secrets(self) -> dict[str, str]:
        """What must be in Secrets Manager for that: values by their ids."""
        return {_secret_id(name): self.parameters[name] for name in self._plain_secrets}

    @property
    def _plain_secrets(self) -> list[str]:
        return list(parameters.plain_secrets(parameters.declared_in(self.document()), self.parameters))

    def document(self) -> Json:
        """The template read; empty if it cannot be: the deployment itself will say why."""
        try:
            return parse_document(self.template)
        except RefusalError:
            return {}

    def resources(self, region: str) -> dict[str, str]:
        """The type of each resource, those included that transforms add."""
        document = dict(self.document())
        known = document | expand(document, dict(self.parameters), region, _unheard) if document else {}
        found = {**document.get("Resources", {}), **known.get("Resources", {})}
        return {name: str(body.get("Type")) for name, body in found.items() if isinstance(body, dict)}


def _secret_id(parameter: str) -> str:
    return f"rehearsal/{parameter}"


def check(drill: Drill, environment: Environment) -> None:
    """Tell at once what takes no system to know: parameters without a value, resources that do not exist.

    Raises:
        InvalidRequestError: with these problems and, since there are some, all others of the request.
    """
    declared = parameters.declared_in(drill.document())
    missing = list(parameters.problems(declared, environment=environment.parameters, request=drill.asked_parameters))
    unknown = list(_unknown_resources(drill, environment.region))
    if unknown or (missing and drill.document()):
        raise InvalidRequestError([*unknown, *_all_problems(drill, environment)], environment=environment.name)


def _unknown_resources(drill: Drill, region: str) -> Iterator[str]:
    asked = {option: name for option, name in (("--fail", drill.fail), ("--stall", drill.stall)) if name}
    known = drill.resources(region) if asked else {}
    for option, name in asked.items():
        if name not in known:
            there_are = ", ".join(sorted(known)) or "none that can be read"
            yield f"{option} {name}: the template has no such resource (there are: {there_are})."


def _all_problems(drill: Drill, environment: Environment) -> list[str]:
    try:
        check_request(drill.request(environment.name), environment, Template(body=drill.template))
    except InvalidRequestError as error:
        return error.problems
    return []


def _unheard(_logical_id: str, _resource_type: str, _reason: str) -> None:
    """What could not be expanded is told by the simulated AWS itself, as a stand-in."""
