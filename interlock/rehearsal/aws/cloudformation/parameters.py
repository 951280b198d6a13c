"""A template's parameters: what was given, checked as AWS checks it."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from interlock.rehearsal.aws.cloudformation.errors import invalid

Json = dict[str, Any]
SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def settle(specs: Mapping[str, Json], given: list[Json], previous: Mapping[str, str]) -> dict[str, str]:
    """The value of every parameter of the template.

    Raises:
        RefusalError: unknown or missing parameters, or values that break a constraint.
    """
    values = _given_values(specs, given, previous)
    settled = {name: values.get(name, _default(spec)) for name, spec in specs.items()}
    missing = [name for name, value in settled.items() if value is None]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    complete = {name: value for name, value in settled.items() if value is not None}
    for name, value in complete.items():
        _check(name, specs[name], value)
    return complete


def resolve_stored(
    specs: Mapping[str, Json], values: Mapping[str, str], look_up: Callable[[str], str]
) -> dict[str, str]:
    """What the parameters of an SSM type stand for."""
    return {name: look_up(value) for name, value in values.items() if SSM_VALUE.fullmatch(str(specs[name].get("Type")))}


def is_list(spec: Json) -> bool:
    kind = str(spec.get("Type"))
    stored = SSM_VALUE.fullmatch(kind)
    kind = stored[1] if stored else kind
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def described(specs: Mapping[str, Json], values: Mapping[str, str], resolved: Mapping[str, str]) -> list[Json]:
    """As DescribeStacks shows them: NoEcho values never leave."""
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if is_no_echo(specs.get(name, {})) else value,
            "ResolvedValue": resolved.get(name),
        }
        for name, value in values.items()
    ]


def is_no_echo(spec: Json) -> bool:
    return str(spec.get("NoEcho", "false")).lower() == "true"


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(as_text(item) for item in value) if isinstance(value, list) else str(value)


def _default(spec: Json) -> str | None:
    return as_text(spec["Default"]) if spec.get("Default") is not None else None


def _given_values(specs: Mapping[str, Json], given: list[Json], previous: Mapping[str, str]) -> dict[str, str]:
    unknown = [item["ParameterKey"] for item in given if item["ParameterKey"] not in specs]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values: dict[str, str] = {}
    for item in given:
        name = item["ParameterKey"]
        if str(item.get("UsePreviousValue", "")).lower() != "true":
            values[name] = item.get("ParameterValue", "")
        elif name in previous:
            values[name] = previous[name]
    return values


def _check(name: str, spec: Json, value: str) -> None:
    problem = next((text for text in _problems(name, spec, value) if text), None)
    if problem is None:
        return
    explained = spec.get("ConstraintDescription")
    raise invalid(f"Parameter {name} failed to satisfy constraint: {explained}" if explained else problem)


def _problems(name: str, spec: Json, value: str) -> list[str | None]:
    items = value.split(",") if is_list(spec) and value else [value]
    allowed = [as_text(item) for item in spec.get("AllowedValues", [])]
    pattern = spec.get("AllowedPattern")
    return [
        f"Parameter '{name}' must be one of AllowedValues" if allowed and not set(items) <= set(allowed) else None,
        f"Parameter '{name}' must match pattern {pattern}" if pattern and not _matches(str(pattern), items) else None,
        *_length_problems(name, spec, value),
        *(_number_problems(name, spec, value) if spec.get("Type") == "Number" else []),
    ]


def _matches(pattern: str, items: list[str]) -> bool:
    try:
        return all(re.fullmatch(pattern, item) for item in items)
    except re.error:  # AWS's patterns are Java's; one that Python cannot read is not the user's mistake
        return True


def _length_problems(name: str, spec: Json, value: str) -> list[str | None]:
    shortest, longest = int(spec.get("MinLength", 0)), int(spec.get("MaxLength", 1 << 20))
    return [
        f"Parameter '{name}' must contain at least {shortest} characters" if len(value) < shortest else None,
        f"Parameter '{name}' must contain at most {longest} characters" if len(value) > longest else None,
    ]


def _number_problems(name: str, spec: Json, value: str) -> list[str | None]:
    try:
        number = float(value)
    except ValueError:
        return [f"Parameter '{name}' must be a number"]
    least, most = spec.get("MinValue"), spec.get("MaxValue")
    return [
        f"Parameter '{name}' must be a number not less than {least}"
        if least is not None and number < float(least)
        else None,
        f"Parameter '{name}' must be a number not greater than {most}"
        if most is not None and number > float(most)
        else None,
    ]
