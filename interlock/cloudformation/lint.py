"""cfn-lint: what is wrong with a template, found without asking AWS.

cfn-lint takes two seconds to import and keeps global state: it is imported when first used, and used by one thread at
a time. It reads no network; a template cannot make it read files.
"""

import re
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

from interlock.cloudformation.glance import MOST_LEVELS, is_nested_too_deeply
from interlock.cloudformation.parameters import is_secret_parameter
from interlock.models.base import Value

_ONE_AT_A_TIME = threading.Lock()

_FACTS_THAT_AGE = {
    # Rules whose facts are a snapshot of AWS (price lists, version lists) taken when cfn-lint was released. A new
    # instance class or engine version must not block a deployment; CloudFormation knows better, and rolls back.
    "E2531": "end-of-life Lambda runtimes: dates move, and running functions may still be updated",
    "E2533": "Lambda runtimes that cannot be updated: as E2531",
    "E3025": "RDS instance classes",
    "E3062": "RDS instance classes by engine version",
    "E3617": "ManagedBlockchain instance types",
    "E3620": "DocumentDB instance classes",
    "E3621": "AppStream instance types",
    "E3628": "EC2 instance types",
    "E3635": "Neptune instance classes",
    "E3640": "SageMaker processing instance types",
    "E3641": "GameLift instance types",
    "E3642": "SageMaker hosting instance types",
    "E3643": "SageMaker transform instance types",
    "E3644": "SageMaker cluster instance types",
    "E3647": "ElastiCache node types",
    "E3652": "Elasticsearch instance types",
    "E3653": "OpenSearch instance types",
    "E3667": "Redshift node types",
    "E3670": "AmazonMQ instance types",
    "E3672": "DAX node types",
    "E3675": "EMR instance types",
    "E3690": "RDS cluster engine versions",
    "E3691": "RDS instance engine versions",
    "E3694": "RDS cluster instance classes",
    "E3695": "ElastiCache engine versions",
    # No fact at all: a rule of cfn-lint's crashed. That is not the template's fault.
    "E0002": "cfn-lint's own error",
}


class Findings(Value):
    """A template read (None when it cannot be), what is wrong with it, and what is only doubtful."""

    template: dict[str, Any] | None
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def preload() -> None:
    """Import cfn-lint and load its rules: 2.5 s that a process forked from this one does not spend again."""
    with _ONE_AT_A_TIME:
        _rules()


@cache
def _rules() -> Any:
    """cfn-lint's own rules, loaded once."""
    from cfnlint.config import ConfigMixIn  # noqa: PLC0415 (heavy, see above)
    from cfnlint.runner import Runner  # noqa: PLC0415 (as above)

    return Runner(ConfigMixIn()).rules


def lint(body: str, region: str) -> Findings:
    """What cfn-lint finds in the template for this region; each finding with its path and line."""
    if is_nested_too_deeply(body):
        return Findings(template=None, errors=(f"template: nested more than {MOST_LEVELS} levels deep.",))
    with _ONE_AT_A_TIME:
        try:
            return _lint(body, region)
        except RecursionError:
            return Findings(template=None, errors=("template: nested too deeply.",))


def _lint(body: str, region: str) -> Findings:
    from cfnlint.config import ConfigMixIn  # noqa: PLC0415 (heavy, see above)
    from cfnlint.decode.decode import decode_str  # noqa: PLC0415 (as above)
    from cfnlint.helpers import REGION_PRIMARY, REGIONS  # noqa: PLC0415 (as above)
    from cfnlint.runner import run_template_by_data  # noqa: PLC0415 (as above)

    if alias := _first_alias(body):
        return Findings(template=None, errors=(f"template: YAML aliases are not allowed in CloudFormation ({alias}).",))
    template, unreadable = decode_str(body)
    if unreadable or not isinstance(template, dict):
        return Findings(template=None, errors=tuple(map(_shown, unreadable)) or ("template: not a mapping.",))
    # A region younger than this cfn-lint is linted as the oldest one.
    config = ConfigMixIn(regions=[region if region in REGIONS else REGION_PRIMARY])
    # What cfn-lint's `lint` does, but for the loading of its rules (0.5 s a template).
    matches = list(run_template_by_data(template, config, _rules()))
    fatal = [match for match in matches if _is_fatal(match)]
    return Findings(
        template=template,
        errors=tuple(map(_shown, fatal)),
        warnings=tuple(_shown(match) for match in matches if match not in fatal),
    )


def _first_alias(body: str) -> str | None:
    """Aliases can make a small text a huge template ("a billion laughs"); CloudFormation refuses them anyway."""
    if "*" not in body or "&" not in body:
        return None
    return next(_aliases(body), None)


def _aliases(body: str) -> Iterator[str]:
    import yaml  # noqa: PLC0415 (only for templates that might have one)

    try:
        for token in yaml.scan(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(token, yaml.AliasToken):
                yield f"line {token.start_mark.line + 1}"
    except yaml.YAMLError:
        return  # cfn-lint says what is wrong with it


def _is_fatal(match: Any) -> bool:
    return str(match.rule.severity) == "error" and match.rule.id not in _FACTS_THAT_AGE


def _shown(match: Any) -> str:
    path = [str(step) for step in getattr(match, "path", None) or ()]
    message = match.message.rstrip(".")
    if any(is_secret_parameter(step) for step in path):
        message = re.sub(r"'[^']*'", "'****'", message)
    return f"{'/'.join(path) or 'template'}: {message} (line {match.linenumber}, {match.rule.id})."


def template_of(body: str) -> dict[str, Any]:
    """The template read, without being linted.

    Raises:
        ValueError: it cannot be read.
    """
    if is_nested_too_deeply(body):
        raise ValueError("The template is nested too deeply.")
    from cfnlint.decode.decode import decode_str  # noqa: PLC0415 (heavy, see above)

    with _ONE_AT_A_TIME:
        template, unreadable = decode_str(body)
    if unreadable or not isinstance(template, dict):
        raise ValueError("The template cannot be read.")
    return template
