"""The registry: six nouns over one store."""

from datetime import timedelta

from interlock.clock import Clock, utc_now
from interlock.registry.deployments import Deployments
from interlock.registry.holds import Holds
from interlock.registry.leases import Leases
from interlock.registry.locks import Locks
from interlock.registry.outbox import Outbox
from interlock.registry.queue import Queue
from interlock.registry.record import DEFAULT_RETENTION
from interlock.registry.store import Store
from interlock.secret_values.redactor import Redactor


class Registry:
    """The durable store of deployments, their events, the queue, the holds, the locks and the outbox.

    Safe for threads and processes. Every method may raise `RegistryUnavailableError`, which decides nothing: what was
    being written may or may not be there. `retention`: how long a finished deployment is kept. What `redactor` knows is
    written into no record, event or message.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock = utc_now,
        retention: timedelta = DEFAULT_RETENTION,
        redactor: Redactor | None = None,
    ) -> None:
        self._store = store
        self.deployments = Deployments(store, clock, retention, redactor or Redactor())
        self.queue = Queue(store, clock)
        self.holds = Holds(store, clock, retention)
        self.locks = Locks(store, clock, retention)
        self.outbox = Outbox(store, clock, retention)
        self.leases = Leases(store, clock)

    def prepare(self) -> None:
        """Make the table or the file; safe to repeat.

        Raises:
            StartupError: it cannot be made.
            SettingsError: something else is in its place.
        """
        self._store.prepare()
