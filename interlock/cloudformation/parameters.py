"""Parameters: which ones a deployment passes, what is wrong with them, and which must never be shown.

No problem ever quotes a value: a parameter may be secret without saying so.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from interlock.secret_values import references
from interlock.secret_values.redactor import MASK

Declaration = Mapping[str, Any]
Declarations = Mapping[str, Declaration]

_LONGEST_BYTES = 4096
_SECRET_NAME = re.compile(r"passw|secret|token|api_?key|private_?key|access_?key|credential|passphrase", re.IGNORECASE)
_LIST = re.compile(r"^(CommaDelimitedList|List<.*>)$")
_FROM_SSM = "AWS::SSM::Parameter::Value<"

NO_PLAIN_VALUE = (
    "it is `NoEcho`, and a plain value of it would be stored: give `{{resolve:secretsmanager:...}}`,"
    " `{{resolve:ssm-secure:...}}` or `secret:<name>` instead."
)
"""Why a plain value is refused, and the way out (docs/secrets.md)."""


def declared_in(template: Mapping[str, Any]) -> dict[str, Declaration]:
    """What a template's `Parameters` section declares (what is malformed in it is cfn-lint's business)."""
    section = template.get("Parameters")
    return (
        {str(name): each for name, each in section.items() if isinstance(each, dict)}
        if isinstance(section, dict)
        else {}
    )


def effective_parameters(
    declared: Declarations, *, environment: Mapping[str, str], request: Mapping[str, str]
) -> dict[str, str]:
    """The environment's parameters, overridden by the request's.

    Those of the environment that the template does not declare are silently left out: one environments file serves
    templates of several ages. (One of the request's that is not declared is a problem, see `problems`.)
    """
    return {name: value for name, value in {**environment, **request}.items() if name in declared}


def is_secret_parameter(name: str, declaration: Declaration | None = None) -> bool:
    """Whether its value must never be shown: declared `NoEcho`, or named like a secret."""
    return is_no_echo(declaration or {}) or looks_secret(name)


def is_no_echo(declaration: Declaration) -> bool:
    return str(declaration.get("NoEcho", "")).lower() == "true"


def looks_secret(name: str) -> bool:
    """By its name alone: the rule for outputs, and for parameters that are not declared `NoEcho`."""
    return _SECRET_NAME.search(name) is not None


def secret_values(declared: Declarations, effective: Mapping[str, str]) -> Iterator[str]:
    """Every secret value that the template (as a default) or the request holds, for the redactor to learn."""
    for name, declaration in declared.items():
        if is_secret_parameter(name, declaration) and not _is_a_name(declaration):
            given = effective.get(name, "")
            default = _default_of(declaration)
            for value in (given, default):
                if value and not references.is_reference(value):
                    yield value
                    yield from value.split(",") if _LIST.match(str(declaration.get("Type"))) else ()


def plain_secrets(declared: Declarations, request: Mapping[str, str]) -> Iterator[str]:
    """The names of `NoEcho` parameters that a request gives a plain value: Prefect stores what it is asked with."""
    for name, value in request.items():
        declaration = declared.get(name, {})
        if value and is_no_echo(declaration) and not _is_a_name(declaration) and not references.is_reference(value):
            yield name


def masked(parameters: Mapping[str, str], declared: Declarations) -> dict[str, str]:
    """The parameters as they may be shown."""
    return {
        name: MASK if is_secret_parameter(name, declared.get(name)) else value for name, value in parameters.items()
    }


def problems(declared: Declarations, *, environment: Mapping[str, str], request: Mapping[str, str]) -> Iterator[str]:
    """Everything that CloudFormation would refuse about the parameters, each with its path."""
    for name in sorted(set(request) - set(declared)):
        known = ", ".join(sorted(declared)) or "none"
        yield f"parameters/{name}: the template declares no such parameter (declared: {known})."
    for name in plain_secrets(declared, request):
        yield f"parameters/{name}: {NO_PLAIN_VALUE} Prefect has stored this one with the run's parameters: rotate it."
    effective = effective_parameters(declared, environment=environment, request=request)
    for name, declaration in declared.items():
        if name in effective:
            found = _value_problems(effective[name], declaration, is_secret=is_secret_parameter(name, declaration))
            yield from (f"parameters/{name}: {problem}." for problem in found)
        elif "Default" not in declaration:
            yield f"parameters/{name}: missing, and the template gives it no default."


def _value_problems(value: str, declaration: Declaration, *, is_secret: bool) -> Iterator[str]:
    if value.startswith(references.PREFIX):
        # What it stands for is read, and held to the rules by CloudFormation, once the environment is ours.
        yield from _reference_problems(value)
        return
    if len(value.encode()) > _LONGEST_BYTES:
        yield f"longer than {_LONGEST_BYTES:,} bytes"
    kind = str(declaration.get("Type", "String"))
    if _is_a_name(declaration):
        # The value is the name of a parameter elsewhere: what it holds is not known here.
        return
    parts = [part.strip() for part in value.split(",")] if _LIST.match(kind) else [value]
    problems_of = partial(_part_problems, kind=kind, declaration=declaration, is_secret=is_secret)
    for problem in dict.fromkeys(problem for part in parts for problem in problems_of(part)):
        explained = declaration.get("ConstraintDescription")
        yield f"{problem} ({explained})" if explained else problem


def _reference_problems(value: str) -> Iterator[str]:
    try:
        references.parse(value)
    except ValueError as error:
        yield str(error)


def _is_a_name(declaration: Declaration) -> bool:
    """Its value names a parameter elsewhere; that value is read by CloudFormation."""
    return str(declaration.get("Type", "")).startswith(_FROM_SSM)


def _default_of(declaration: Declaration) -> str:
    default = declaration.get("Default")
    return ",".join(map(_text, default)) if isinstance(default, list) else _text("" if default is None else default)


def _part_problems(value: str, kind: str, declaration: Declaration, *, is_secret: bool) -> Iterator[str]:
    allowed = declaration.get("AllowedValues")
    if isinstance(allowed, list) and value not in (choices := [_text(choice) for choice in allowed]):
        # The choices of a secret are secrets.
        yield "not one of the allowed values" + ("" if is_secret else f": {', '.join(choices)}")
    pattern = declaration.get("AllowedPattern")
    if isinstance(pattern, str) and not _matches(pattern, value):
        yield f"does not match the allowed pattern `{pattern}`"
    yield from _bounds(len(value), declaration, "MinLength", "MaxLength", "characters long")
    if kind in ("Number", "List<Number>"):
        yield from _number_problems(value, declaration)


def _number_problems(value: str, declaration: Declaration) -> Iterator[str]:
    number = _number(value)
    if number is None:
        yield "not a number"
    else:
        yield from _bounds(number, declaration, "MinValue", "MaxValue", "")


def _bounds(measure: float, declaration: Declaration, least: str, most: str, unit: str) -> Iterator[str]:
    if (limit := _number(declaration.get(least))) is not None and measure < limit:
        yield f"must be at least {limit:g} {unit}".rstrip()
    if (limit := _number(declaration.get(most))) is not None and measure > limit:
        yield f"must be at most {limit:g} {unit}".rstrip()


def _matches(pattern: str, value: str) -> bool:
    """CloudFormation's patterns are Java's and match the whole value; one that only Java reads is left to it."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    """YAML reads `true` and `1` where CloudFormation reads text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
