"""Whether an environment is locked: by a person, on record, or by an open freeze window of the environments file."""

from datetime import datetime

from interlock.models.environment import Environment
from interlock.models.lock import Lock, last_to_end
from interlock.registry import Registry


def lock_on(registry: Registry, environment: Environment, now: datetime) -> Lock | None:
    """The lock that is on now; of several, the last to end."""
    return last_to_end(registry.locks.current(environment.name), open_window(environment, now))


def open_window(environment: Environment, now: datetime) -> Lock | None:
    """The freeze window that is open now; of several, the last to end."""
    return last_to_end(*(window.lock_at(environment.name, now) for window in environment.freeze))
