"""From an environment's command to the arguments that are run. No shell; and what a caller says becomes no option."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interlock.cloudformation.requests import CheckedRequest
from interlock.models.deployer import GIT_SHA, PLACEHOLDER, TEMPLATE, is_list, placeholders
from interlock.models.environment import Environment
from interlock.models.request import DeploymentRequest
from interlock.secret_values import references

# AWS's own tools read an argument that begins with `-` as an option, and one that begins like an address (`file://`,
# `http://`) as "read it from there": a caller must be able to write neither.
_PARAMETER = re.compile(r"[A-Za-z0-9]{1,255}")
_TAG = re.compile(r"(?!.*://)[A-Za-z0-9].*", re.DOTALL)
_GIT_SHA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")

NOT_AS_ARGUMENT = (
    "it would be an argument of the command, which every process of the machine can read: give `{{resolve:...}}`, which"
    " CloudFormation alone reads, instead of a secret."
)


@dataclass(frozen=True)
class Filling:
    """What the placeholders stand for."""

    words: Mapping[str, str]
    lists: Mapping[str, Sequence[str]]

    @classmethod
    def of(
        cls,
        checked: CheckedRequest,
        environment: Environment,
        *,
        correlation_id: str,
        git_sha: str | None,
        template: Path,
    ) -> "Filling":
        return cls(
            words={
                TEMPLATE: str(template),
                "stack_name": environment.stack_name,
                "region": environment.region,
                "environment": environment.name,
                "correlation_id": correlation_id,
                GIT_SHA: git_sha or "",
            },
            lists={
                "parameters": _pairs(checked.parameters),
                "tags": _pairs(checked.tags),
                "capabilities": checked.capabilities,
            },
        )

    def arguments(self, command: Sequence[str]) -> list[str]:
        """The command's arguments, each placeholder replaced once: what it stands for is not looked at again.

        An option right before a list that is empty is left out with it: `--tags` alone would be an error.
        """
        pairs = zip(command, [*command[1:], ""], strict=True)
        wanted = [each for each, after in pairs if not (each.startswith("-") and self._is_empty_list(after))]
        return [filled for argument in wanted for filled in self._filled(argument)]

    def _is_empty_list(self, argument: str) -> bool:
        return is_list(argument) and not self._filled(argument)

    def _filled(self, argument: str) -> Sequence[str]:
        if is_list(argument):
            return self.lists[argument.strip("{}")]
        return [PLACEHOLDER.sub(lambda found: self.words[found[1]], argument)]


def problems_of_request(request: DeploymentRequest, environment: Environment) -> Iterator[str]:
    """What a request asks for that the environment's command would not do, or must not be given."""
    used = placeholders(environment.command)
    if TEMPLATE in used and not request.template.strip():
        yield "template: it is empty, and the environment's command deploys it."
    for name in ("parameters", "tags"):
        if getattr(request, name) and name not in used:
            yield f"{name}: the environment's command takes none (it has no {{{name}}})."
    if request.rollback_to and not used & {TEMPLATE, GIT_SHA}:
        yield "rollback_to: the environment's command deploys what lies in its directory, not an earlier request's template."
    if GIT_SHA in used and not _GIT_SHA.fullmatch(request.git_sha or ""):
        yield "git_sha: the environment's command needs it: letters, digits and . _ / + - only, 200 at most."
    yield from _problems_of_pairs(
        {**environment.parameters, **request.parameters}, {**environment.tags, **request.tags}
    )


def _problems_of_pairs(parameters: Mapping[str, str], tags: Mapping[str, str]) -> Iterator[str]:
    for name, value in parameters.items():
        if not _PARAMETER.fullmatch(name):
            yield f"parameters/{name[:255]}: not the name of a parameter (letters and digits)."
        if value.startswith(references.PREFIX):
            yield f"parameters/{name}: {NOT_AS_ARGUMENT}"
        if "\0" in value:
            yield f"parameters/{name}: it holds a NUL character."
    for key in tags:
        if not _TAG.fullmatch(key):
            yield f"tags/{key[:128]}: for a command, the key must begin with a letter or digit and hold no `://`."


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]
