"""What is expected of a resource: from its own history, else its type's, else the table; corrected by what goes on now."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Final

from interlock.models.past_operation import DELETE, UPDATE, PastOperation
from interlock.models.stack_status import StackStatus
from interlock.monitoring.belief import P50, Belief
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState
from interlock.monitoring.resource_seconds import is_in_table, normal_of

# Standard deviations of logarithms: 0.3 is a factor of 1.5 between p50 and p90, 0.5 of 1.9, 0.8 of 2.8, 1.2 of 4.7.
# Assumptions, wide rather than narrow; tests/evaluation measures what comes of them.
_OF_TABLE: Final = {UPDATE: 1.2, DELETE: 1.0}
"""An update may change a tag or replace all; what a deletion takes the table does not say."""
_OF_TABLE_CREATE: Final = 0.8
_OF_UNKNOWN_TYPE: Final = 1.5
"""As the averages of the types without a line in the table differ (resource_seconds.py)."""
_OF_ACCOUNT: Final = 0.5
"""How far all of a stack's resources together may be from the table: a region, an account, a simulated AWS."""
_WITHIN_TYPE: Final = 0.6
"""How far a stack's resources of one type differ, as a share of what the table allows the type. What takes about the same
everywhere does so here too; but that three nested stacks had nothing to do says little of the fourth.
"""
_OF_ITSELF: Final = 0.3
_DELETION: Final = 0.4
"""A deletion's share of the creation's time."""


class Expectations:
    """For the resources of one operation, from `history` (the newest first) and what it has completed itself."""

    def __init__(self, history: Sequence[PastOperation], progress: Progress) -> None:
        self._own: Mapping[tuple[str, str], list[float]] = defaultdict(list)
        self._types: Mapping[tuple[str, str], list[float]] = defaultdict(list)
        self._shown: Mapping[tuple[str, str], list[float]] = defaultdict(list)
        self._beliefs: dict[tuple[str, str], Belief] = {}
        for past in history:
            for each in past.resources:
                self._own[each.logical_id, each.action].append(each.seconds)
                self._types[each.resource_type, each.action].append(each.seconds)
        for row in progress.in_state(ResourceState.DONE):
            if row.seconds is not None and row.status:
                key = row.resource_type, action_of(row)
                self._types[key].append(row.seconds)
                self._shown[key].append(row.seconds)

    def of(self, logical_id: str, resource_type: str, action: str) -> Belief:
        own = self._own.get((logical_id, action), ())
        return self._of_type(resource_type, action).learned(own, noise=_OF_ITSELF)

    def _of_type(self, resource_type: str, action: str) -> Belief:
        key = (resource_type, action)
        if key not in self._beliefs:  # asked for once a resource, and a stack may have 500 of a type
            table = _table(resource_type, action).times(self._account_factor)
            self._beliefs[key] = table.learned(self._types.get(key, ()), noise=_WITHIN_TYPE * table.log_sd)
        return self._beliefs[key]

    @cached_property
    def _account_factor(self) -> float:
        """By how much this operation's types are off the table: one voice each, or twenty roles would speak for all.

        Where the table allows a type anything, being off it is little reason to expect the same of others.
        """
        if not self._shown:
            return 1.0
        tables = [_table(*key) for key in self._shown]
        took = [max(median(seconds), 0.2) for seconds in self._shown.values()]
        off = median(math.log(each / table.quantile(P50)) for each, table in zip(took, tables, strict=True))
        trust = sum((_OF_ACCOUNT / table.log_sd) ** 2 for table in tables)
        return math.exp(off * trust / (1 + trust))

    def knows(self, row: ResourceProgress) -> bool:
        """More than a guess: there is history, or a line in the table that speaks of this action."""
        action = action_of(row)
        in_table = is_in_table(row.resource_type) and action != DELETE
        return in_table or (row.logical_id, action) in self._own or (row.resource_type, action) in self._types


def action_of(row: ResourceProgress) -> str:
    """What is being done to a resource that has begun."""
    return StackStatus(row.status or "").action


def _table(resource_type: str, action: str) -> Belief:
    normal = normal_of(resource_type)
    p50, p90 = {
        UPDATE: (normal.update_seconds, normal.update_p90_seconds),
        DELETE: (_DELETION * normal.create_seconds, None),
    }.get(action, (normal.create_seconds, normal.p90_seconds))
    log_sd = _OF_TABLE.get(action, _OF_TABLE_CREATE) if is_in_table(resource_type) else _OF_UNKNOWN_TYPE
    return Belief.around(p50, log_sd=max(log_sd, Belief.between(p50, p90 or p50).log_sd))
