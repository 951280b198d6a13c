"""The registry: ONE set of rules (deployments, queue, holds, outbox, leases) over two stores (SQLite, DynamoDB)."""

from interlock.registry.opening import open_registry
from interlock.registry.registry import Registry

__all__ = ["Registry", "open_registry"]
