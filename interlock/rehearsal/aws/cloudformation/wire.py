"""AWS's query protocol: form fields in, XML out, shaped by botocore's own model of the service."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from interlock.rehearsal.aws.cloudformation.errors import RefusalError

NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@cache
def service_model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("cloudformation")


def parse_form(body: bytes) -> dict[str, Any]:
    """`Parameters.member.1.ParameterKey=x` becomes `{"Parameters": [{"ParameterKey": "x"}]}`."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True):
        _plant(tree, name.split("."), value)
    fields: dict[str, Any] = _listed(tree)
    return fields


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    *branches, leaf = path
    for branch in branches:
        below = tree.setdefault(branch, {})
        tree = below if isinstance(below, dict) else {}
    tree[leaf] = value


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"} and isinstance(node["member"], dict):
        return [_listed(item) for _, item in sorted(node["member"].items(), key=lambda pair: int(pair[0]))]
    return {name: _listed(below) for name, below in node.items()}


def answer(action: str, result: Mapping[str, Any]) -> bytes:
    """The XML document that answers `action` with `result` (members named as in the API reference)."""
    shape = service_model().operation_model(action).output_shape
    inner = ""
    if shape is not None:
        members = "".join(_members(shape, result))
        wrapper = shape.serialization.get("resultWrapper", f"{action}Result")
        inner = f"<{wrapper}>{members}</{wrapper}>"
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    return f'<{action}Response xmlns="{NAMESPACE}">{inner}{metadata}</{action}Response>'.encode()


def refusal(error: RefusalError) -> bytes:
    kind = "Sender" if error.status < 500 else "Receiver"  # noqa: PLR2004 - HTTP's border between their fault and ours
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    ).encode()


def _members(shape: Shape, value: Mapping[str, Any]) -> Iterable[str]:
    if not isinstance(shape, StructureShape):
        return
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield _element(member.serialization.get("name", name), member, value[name])


def _element(name: str, shape: Shape, value: Any) -> str:
    return f"<{name}>{_content(shape, value)}</{name}>"


def _content(shape: Shape, value: Any) -> str:
    if isinstance(shape, ListShape):
        return "".join(_element("member", shape.member, item) for item in value)
    if isinstance(shape, MapShape):
        return "".join(
            f"<entry><key>{escape(str(key))}</key>{_element('value', shape.value, item)}</entry>"
            for key, item in value.items()
        )
    if isinstance(shape, StructureShape):
        return "".join(_members(shape, value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))
