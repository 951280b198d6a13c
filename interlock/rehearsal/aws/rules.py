"""How each resource behaves: by default, by its template's `Metadata.Rehearsal`, by rules from outside (last word)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Json = dict[str, Any]
_KEYS = frozenset({"Seconds", "Fail", "Stall", "FailDelete", "On", "Drift"})
_PHASES = frozenset({"CREATE", "UPDATE", "DELETE", "ROLLBACK", "DRIFT"})


@dataclass(frozen=True)
class Behaviour:
    """What a resource does now, in one phase (CREATE, UPDATE, DELETE, ROLLBACK of an update, DRIFT while it is
    looked for).
    """

    seconds: float
    fail: str | None = None
    stall: bool = False


class Rules:
    """The rules from outside. They are read again while a resource dwells, so a new rule frees a stalled stack."""

    def __init__(self) -> None:
        self.listed: list[Json] = []

    def replace(self, rules: list[Json]) -> None:
        """Raises:
        ValueError: a rule has no `match`, an unknown key, or an unknown phase.
        """
        for rule in rules:
            _check(rule)
        self.listed = list(rules)

    def behaviour(
        self, stack_name: str, logical_id: str, phase: str, metadata: Any, default_seconds: float
    ) -> Behaviour:
        own = (metadata or {}).get("Rehearsal") if isinstance(metadata, dict) else None
        matching = (rule for rule in self.listed if fnmatchcase(f"{stack_name}/{logical_id}", rule["match"]))
        told = _told(phase, [own if isinstance(own, dict) else {}, *matching])
        return Behaviour(float(told.get("Seconds", default_seconds)), told.get("Fail") or None, bool(told.get("Stall")))

    def drift(self, stack_name: str, logical_id: str) -> Any:
        """What was changed by hand: DELETED, or the actual values by property path; None where nothing was."""
        matching = [rule for rule in self.listed if fnmatchcase(f"{stack_name}/{logical_id}", rule["match"])]
        return next((rule["Drift"] for rule in reversed(matching) if rule.get("Drift")), None)


def _told(phase: str, sources: Iterable[Mapping[str, Any]]) -> Json:
    told: Json = {}
    for source in sources:
        if phase in source.get("On", ("CREATE", "UPDATE")):
            told.update(source)
        elif phase == "DELETE" and "FailDelete" in source:
            told["Fail"] = source["FailDelete"]
    return told


def _check(rule: Json) -> None:
    unknown = rule.keys() - _KEYS - {"match"}
    if unknown or "match" not in rule:
        raise ValueError(f"a rule needs `match` and may have {', '.join(sorted(_KEYS))}: {rule}")
    drift = rule.get("Drift", "DELETED")
    if drift != "DELETED" and not isinstance(drift, dict):
        raise ValueError(f"Drift is DELETED, or actual values by property path: {rule}")
    phases = set(rule.get("On", ())) - _PHASES
    if phases:
        raise ValueError(f"unknown phase {', '.join(sorted(phases))}: one of {', '.join(sorted(_PHASES))}")
