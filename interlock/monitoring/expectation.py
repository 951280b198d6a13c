"""What is expected of a resource: from its own history, else its type's, else the table; corrected by what goes on now."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from interlock.models.past_operation import DELETE, UPDATE, PastOperation
from interlock.models.stack_status import StackStatus
from interlock.monitoring.belief import Belief
from interlock.monitoring.progress import Progress, ResourceProgress, ResourceState
from interlock.monitoring.resource_seconds import is_in_table, normal_of

# Standard deviations of logarithms: 0.3 is a factor of 1.5 between p50 and p90, 0.5 of 1.9, 0.8 of 2.8, 1.2 of 4.7.
# Assumptions, wide rather than narrow; tests/evaluation measures what comes of them.
_OF_TABLE: Final = {UPDATE: 1.2, DELETE: 1.0}
"""An update may change a tag or replace all; what a deletion takes the table does not say."""
_OF_TABLE_CREATE: Final = 0.8
_OF_UNKNOWN_TYPE: Final = 1.2
_OF_ACCOUNT: Final = 0.5
"""How far all of a stack's resources together may be from the table: a region, an account, a simulated AWS."""
_WITHIN_ACCOUNT: Final = 1.0
_WITHIN_TYPE: Final = 0.5
_OF_ITSELF: Final = 0.3
_DELETION: Final = 0.4
"""A deletion's share of the creation's time."""


class Expectations:
    """For the resources of one operation, from `history` (the newest first) and what it has completed itself."""

    def __init__(self, history: Sequence[PastOperation], progress: Progress) -> None:
        self._own: Mapping[tuple[str, str], list[float]] = defaultdict(list)
        self._types: Mapping[tuple[str, str], list[float]] = defaultdict(list)
        self._ratios: list[float] = []
        self._beliefs: dict[tuple[str, str], Belief] = {}
        for past in history:
            for each in past.resources:
                self._own[each.logical_id, each.action].append(each.seconds)
                self._types[each.resource_type, each.action].append(each.seconds)
        for row in progress.in_state(ResourceState.DONE):
            if row.seconds is not None and row.status:
                self._see(row.resource_type, action_of(row), row.seconds)

    def _see(self, resource_type: str, action: str, seconds: float) -> None:
        self._types[resource_type, action].append(seconds)
        self._ratios.append(max(seconds, 0.2) / _table(resource_type, action).quantile(0.5))

    def of(self, logical_id: str, resource_type: str, action: str) -> Belief:
        own = self._own.get((logical_id, action), ())
        return self._of_type(resource_type, action).learned(own, noise=_OF_ITSELF)

    def _of_type(self, resource_type: str, action: str) -> Belief:
        key = (resource_type, action)
        if key not in self._beliefs:  # asked for once a resource, and a stack may have 500 of a type
            table = _table(resource_type, action).times(self._account_factor)
            self._beliefs[key] = table.learned(self._types.get(key, ()), noise=_WITHIN_TYPE)
        return self._beliefs[key]

    @cached_property
    def _account_factor(self) -> float:
        account = Belief.around(1, log_sd=_OF_ACCOUNT).learned(self._ratios, noise=_WITHIN_ACCOUNT)
        return math.exp(account.log_mean)

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
    p50 = {UPDATE: normal.update_seconds, DELETE: _DELETION * normal.create_seconds}.get(action, normal.create_seconds)
    log_sd = _OF_TABLE.get(action, _OF_TABLE_CREATE) if is_in_table(resource_type) else _OF_UNKNOWN_TYPE
    if normal.p90_seconds and action != DELETE:
        tailed = Belief.between(normal.create_seconds, normal.p90_seconds)
        log_sd = max(log_sd, tailed.log_sd)
    return Belief.around(p50, log_sd=log_sd)
