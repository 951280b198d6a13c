"""Transforms and macros: expanded for real where a library can, left to stand-ins where none can."""

import copy
from collections.abc import Callable
from typing import Any

from interlock.rehearsal.aws.cloudformation.state import Note
from interlock.rehearsal.aws.cloudformation.templates import transforms_of

Json = dict[str, Any]


def expand(template: Json, parameters: dict[str, str], region: str, note: Note) -> Json:
    """The template after its transforms. Never fails: what cannot be expanded is noted and left as it is."""
    processed = template
    for name in transforms_of(template):
        try:
            processed = _EXPANDERS.get(name, _unknown)(copy.deepcopy(processed), parameters, region)
        except Exception as error:  # noqa: BLE001 - other people's code, any template: a stand-in must follow
            note("", name, f"the transform was not expanded: {error or type(error).__name__}")
    expanded: Json = without_embedded_transforms(_without_declarations(processed))
    return expanded


def without_embedded_transforms(node: Any) -> Any:
    """Fn::Transform (AWS::Include, macros) drops out: the simulated account has neither the files nor the functions."""
    if isinstance(node, dict):
        return {key: without_embedded_transforms(value) for key, value in node.items() if key != "Fn::Transform"}
    return [without_embedded_transforms(item) for item in node] if isinstance(node, list) else node


def _without_declarations(template: Json) -> Json:
    return {key: value for key, value in template.items() if key not in ("Transform", "Globals")}


def _serverless(template: Json, parameters: dict[str, str], region: str) -> Json:
    import boto3  # noqa: PLC0415 - all three take long to import, and few templates need them
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - as above
    from samtranslator.translator.translator import Translator  # noqa: PLC0415 - as above

    session = boto3.Session(region_name=region)
    translator = Translator(_ManagedPolicies(), Parser(), boto_session=session)
    return dict(translator.translate(template, dict(parameters)))


class _ManagedPolicies(dict[str, str]):
    """AWS's managed policies by name; SAM looks them up, and every name exists here."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.startswith(("AWS", "Amazon", "Cloud"))

    def get(self, name: str, default: Any = None) -> Any:
        return f"arn:aws:iam::aws:policy/{name}" if name in self else default

    def __getitem__(self, name: str) -> str:
        return f"arn:aws:iam::aws:policy/{name}"


def _language_extensions(template: Json, parameters: dict[str, str], region: str) -> Json:  # noqa: ARG001 - one shape for all expanders
    from ministack.services.cloudformation import language_extensions  # noqa: PLC0415 - two seconds to import

    return dict(language_extensions.apply(template, parameters))


def _unknown(*_: object) -> Json:
    raise LookupError("the simulated account has no such macro")


_EXPANDERS: dict[str, Callable[[Json, dict[str, str], str], Json]] = {
    "AWS::Serverless-2016-10-31": _serverless,
    "AWS::LanguageExtensions": _language_extensions,
}
