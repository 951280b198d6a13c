"""Thirty secret values of every kind, and the template and the request that hold or refer to them.

Every value bears one of two marks. `MARK` must be found nowhere at all. `ASKED_MARK` is in the values that a request
holds plainly: Prefect stores a run's parameters, so it must be found there, and nowhere else.
"""

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

MARK = f"m{uuid.uuid4().hex[:11]}"
ASKED_MARK = f"a{uuid.uuid4().hex[:11]}"
COUNT = 30
_AWKWARD = ("", ' "quoted" \\ &<!channel>', "/+=%", " äöü€", "\n second line")
BUCKET = "planted-templates"


def _values(kind: str, mark: str = MARK) -> list[str]:
    """The mark is in every piece that could be quoted alone."""
    ends = [_AWKWARD[number % len(_AWKWARD)] for number in range(COUNT)]
    return [f"{mark}-{kind}-{number:02}{end.replace('second', mark)}" for number, end in enumerate(ends)]


@dataclass(frozen=True)
class Plants:
    """`named` are outputs by the name alone; `asked` look secret by their names, and are in the request."""

    secrets_manager: list[str] = field(default_factory=lambda: _values("sm"))
    parameter_store: list[str] = field(default_factory=lambda: _values("ssm"))
    blocks: list[str] = field(default_factory=lambda: _values("block"))
    defaults: list[str] = field(default_factory=lambda: _values("default"))
    file: list[str] = field(default_factory=lambda: _values("file"))
    named: list[str] = field(default_factory=lambda: _values("named"))
    asked: list[str] = field(default_factory=lambda: _values("asked", ASKED_MARK))
    refused: list[str] = field(default_factory=lambda: _values("refused", ASKED_MARK))

    @property
    def of_the_file(self) -> dict[str, str]:
        return {f"FileToken{number:02}": value for number, value in enumerate(self.file)}

    @property
    def request(self) -> dict[str, str]:
        """References of each form, and the plain values of parameters that only look secret."""
        found: dict[str, str] = {}
        for number in range(COUNT):
            plain = "" if number % 2 else "secretsmanager:"
            found[f"SecretsManager{number:02}"] = f"secret:{plain}planted/{number:02}#password"
            found[f"ParameterStore{number:02}"] = f"secret:{'' if number % 2 else 'ssm:'}/planted/{number:02}"
            found[f"Block{number:02}"] = f"secret:{'' if number % 2 else 'prefect:'}planted-{number:02}"
            found[f"AskedToken{number:02}"] = self.asked[number]
        return found

    @property
    def quoted(self) -> str:
        """As a careless service would quote them all."""
        known = (self.secrets_manager, self.parameter_store, self.blocks, self.defaults, self.file, self.asked)
        return "Invalid values: " + ", ".join(value for kind in known for value in kind)

    def template(self, *, delay: int) -> str:
        body = {
            "Parameters": dict(self._parameters()),
            "Resources": {
                f"R{number}": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}} for number in (0, 1)
            },
            "Outputs": dict(self._outputs()),
        }
        return json.dumps(body)

    def _parameters(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        for number in range(COUNT):
            hidden = {"Type": "String", "NoEcho": True}
            found += [(f"{kind}{number:02}", hidden) for kind in ("SecretsManager", "ParameterStore", "Block")]
            found.append((f"Default{number:02}", {**hidden, "Default": self.defaults[number]}))
            found += [(f"{kind}Token{number:02}", {"Type": "String"}) for kind in ("File", "Asked")]
        return found

    def _outputs(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        for number in range(COUNT):
            names = ("SecretsManager", "ParameterStore", "Block", "Default", "FileToken", "AskedToken")
            echo = " ".join(f"${{{name}{number:02}}}" for name in names)
            found.append((f"Echo{number:02}", {"Value": {"Fn::Sub": f"app://{echo}"}}))
            found.append((f"NamedPassword{number:02}", {"Value": self.named[number]}))
        return found


PLANTS = Plants()

REFUSED = json.dumps(
    {
        "Parameters": {f"P{number:02}": {"Type": "String", "NoEcho": True} for number in range(COUNT)},
        "Resources": {"R0": {"Type": "AWS::SQS::Queue"}},
    }
)
