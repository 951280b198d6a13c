"""What the command line asks for, as the parameters of the `deploy` flow. All problems are told at once."""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interlock.errors import InvalidRequestError

_TEMPLATE_LIMIT_BYTES = 1024 * 1024
"""CloudFormation's own limit."""


def read_template(template: str) -> str:
    """The text of a local file (`-` is standard input). `s3://` and `https://` are passed on: the worker reads them.

    Raises:
        InvalidRequestError: it cannot be read, is empty, too large or not text.
    """
    if template.startswith(("s3://", "https://")):
        return template
    data = _bytes(template)
    if len(data) > _TEMPLATE_LIMIT_BYTES:
        raise _wrong_template(
            template, f"has {len(data):,} bytes; CloudFormation takes {_TEMPLATE_LIMIT_BYTES:,} at most"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _wrong_template(template, f"is not UTF-8 text (byte {error.start})") from error
    if not text.strip():
        raise _wrong_template(template, "is empty")
    return text


def read_templates(pairs: Sequence[str]) -> dict[str, str]:
    """The templates of the stacks before the last, from `STACK=FILE` pairs.

    Raises:
        InvalidRequestError: every pair that is wrong, or the first file that cannot be read.
    """
    problems: list[str] = []
    files = _of_pairs(pairs, "--template-of", problems)
    if problems:
        raise InvalidRequestError(problems)
    return {stack: read_template(file) for stack, file in files.items()}


def read_parameters(pairs: Sequence[str], file: Path | None) -> dict[str, str]:
    """The stack's parameters: the file's, overridden by `K=V` pairs.

    Raises:
        InvalidRequestError: every pair and every value of the file that is wrong. Values are never repeated.
    """
    problems: list[str] = []
    parameters = _of_file(file, problems) if file else {}
    parameters |= _of_pairs(pairs, "--parameter", problems)
    if problems:
        raise InvalidRequestError(problems)
    return parameters


def read_tags(pairs: Sequence[str]) -> dict[str, str]:
    """The stack's tags.

    Raises:
        InvalidRequestError: every pair that is wrong.
    """
    problems: list[str] = []
    tags = _of_pairs(pairs, "--tag", problems)
    if problems:
        raise InvalidRequestError(problems)
    return tags


def refuse_plain_secrets(template: str, parameters: Mapping[str, str]) -> None:
    """Before anything is sent: Prefect stores what a run is asked with. Of a template that is not here, the worker says.

    Raises:
        InvalidRequestError: every `NoEcho` parameter that is given a plain value; no value is repeated.
    """
    if not parameters or not template or template.startswith(("s3://", "https://")):
        return
    from interlock.cloudformation.glance import no_echo_parameters  # noqa: PLC0415 - YAML takes its time
    from interlock.cloudformation.parameters import NO_PLAIN_VALUE  # noqa: PLC0415 - as above
    from interlock.secret_values.references import is_reference  # noqa: PLC0415 - as above

    values = {name for name, value in parameters.items() if value and not is_reference(value)}
    found = sorted(values & no_echo_parameters(template))
    if found:
        raise InvalidRequestError([f"parameters/{name}: {NO_PLAIN_VALUE} Nothing was sent." for name in found])


def fingerprint(request: Mapping[str, Any]) -> str:
    """Sixteen hex digits that two requests share only if they ask for the same."""
    text = json.dumps(request, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _bytes(template: str) -> bytes:
    try:
        if template == "-":
            return sys.stdin.buffer.read(_TEMPLATE_LIMIT_BYTES + 1)
        return Path(template).read_bytes()
    except OSError as error:
        raise _wrong_template(template, f"cannot be read: {error.strerror}") from error


def _wrong_template(template: str, why: str) -> InvalidRequestError:
    return InvalidRequestError([f"--template: {'standard input' if template == '-' else template} {why}"])


def _of_pairs(pairs: Sequence[str], option: str, problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for position, pair in enumerate(pairs, start=1):
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            # The pair itself is not shown: it may be a secret with its key forgotten.
            problems.append(f"{option} number {position}: must be KEY=VALUE")
        elif key in found:
            problems.append(f"{option} {key}: given twice")
        else:
            found[key] = value
    return found


def _of_file(file: Path, problems: list[str]) -> dict[str, str]:
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problems.append(f"--parameters-file: {file} cannot be read: {error.strerror}")
        return {}
    except (ValueError, RecursionError) as error:
        problems.append(f"--parameters-file: {file} is not valid JSON: {error}")
        return {}
    found: dict[str, str] = {}
    for key, value in _entries(document, file, problems):
        text = _as_text(value)
        if text is None:
            problems.append(f"--parameters-file: {key}: must be a string, a number, a boolean or a list of them")
        else:
            found[key] = text
    return found


def _entries(document: object, file: Path, problems: list[str]) -> list[tuple[str, object]]:
    """Both usual shapes: `{"Key": "value"}` and the AWS CLI's list of `ParameterKey` and `ParameterValue`."""
    if isinstance(document, dict):
        return [(str(key), value) for key, value in document.items()]
    if isinstance(document, list) and all(isinstance(item, dict) and "ParameterKey" in item for item in document):
        return [(str(item["ParameterKey"]), item.get("ParameterValue")) for item in document]
    problems.append(
        f"--parameters-file: {file} must hold an object, or a list of objects with ParameterKey and ParameterValue"
    )
    return []


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list):
        parts = [_as_text(item) for item in value if not isinstance(item, list)]
        return (
            ",".join(part for part in parts if part is not None)
            if len(parts) == len(value) and None not in parts
            else None
        )
    return None


def override(reason: str | None, *, is_wanted: bool) -> dict[str, str]:
    """The flow's parameter that overrides a lock; none if that is not wanted.

    Raises:
        InvalidRequestError: one of the two options without the other.
    """
    text = (reason or "").strip()
    if is_wanted and not text:
        raise InvalidRequestError(["--override-lock: needs a --reason, for those who will ask"])
    if text and not is_wanted:
        raise InvalidRequestError(["--reason: is for --override-lock"])
    return {"override_lock_reason": text} if is_wanted else {}
