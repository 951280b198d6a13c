"""Which AWS call a request is: read from its headers and its body, as AWS reads it."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from interlock.rehearsal.aws.asgi import Scope

_CREDENTIAL = re.compile(r"Credential=([^/,\s]*)/[^/]*/([^/]*)/([^/]*)/")
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Call:
    service: str
    action: str
    access_key: str
    region: str
    user_agent: str
    protocol: str
    """json, query or rest: how the service writes its errors."""
    fields: dict[str, Any]


def identify(scope: Scope, body: bytes) -> Call:
    headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
    signed = _CREDENTIAL.search(headers.get("authorization", ""))
    access_key, region, service = signed.groups() if signed else ("", _DEFAULT_REGION, "")
    target = headers.get("x-amz-target", "")
    protocol, action, fields = "rest", f"{scope['method']} {scope['path']}", {}
    if target:
        protocol, action, fields = "json", target.rsplit(".", 1)[-1], _json(body)
    elif "form" in headers.get("content-type", ""):
        fields = {name: values[-1] for name, values in parse_qs(body.decode("latin1")).items()}
        protocol, action = "query", fields.get("Action", action)
    return Call(service, action, access_key, region, headers.get("user-agent", ""), protocol, fields)


def _json(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body or b"{}")
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
