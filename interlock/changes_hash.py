"""The hash of what a deployment would do: what an approval is bound to."""

import hashlib
import json
from collections.abc import Mapping

from interlock.models.stack import ChangeSet

SHOWN = 12
"""So many of its digits are shown to people, and are enough to name it."""


def changes_hash(change_set: ChangeSet, *, template_sha256: str, parameters: Mapping[str, str]) -> str:
    """SHA-256 of the changes, the template and the parameters, in hexadecimal; no order of theirs matters.

    CloudFormation does not show what a property becomes, only that it is modified: the template and the parameters tell
    that. Values go in as hashes, so that no secret stands in what is hashed.
    """
    changes = [
        [
            change.action,
            change.logical_id,
            change.resource_type,
            change.replacement or "",
            ",".join(sorted(change.scope)),
        ]
        for change in change_set.changes
    ]
    whole = {
        "changes": sorted(changes),
        "template": template_sha256,
        "parameters": {name: _sha256(value) for name, value in parameters.items()},
    }
    return _sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
