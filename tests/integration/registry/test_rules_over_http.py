"""The rules' own suite, on this directory's fixtures: DynamoDB over HTTP."""

from tests.unit.registry.test_deployments import *  # noqa: F403  the same tests, another store
from tests.unit.registry.test_holds import *  # noqa: F403  as above
from tests.unit.registry.test_leases import *  # noqa: F403  as above
from tests.unit.registry.test_locks import *  # noqa: F403  as above
from tests.unit.registry.test_outbox import *  # noqa: F403  as above
from tests.unit.registry.test_queue import *  # noqa: F403  as above
from tests.unit.registry.test_store import *  # noqa: F403  as above
