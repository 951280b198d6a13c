"""The registry: can this process write to it, read it back, and take it away again?"""

import uuid
from datetime import timedelta
from functools import partial

from interlock.clock import Clock, utc_now
from interlock.doctor.findings import Check, Verdict, not_checked, ok, ok_unless, problem
from interlock.errors import AwsCredentialsError
from interlock.registry.opening import file_of, open_store
from interlock.registry.store import ABSENT, Delete, Key, Put, Store

REGISTRY = "registry"
_PROBE_LIVES = timedelta(hours=1)
"""If this process dies between writing and deleting, the store removes the probe by itself."""


def checks(url: str, *, clock: Clock = utc_now) -> list[Check]:
    probe = Check(REGISTRY, partial(writable, url, clock))
    return [probe] if file_of(url) else [probe, Check("registry table", partial(table, url), needs=REGISTRY)]


def writable(url: str, clock: Clock = utc_now) -> Verdict:
    """A probe of its own is written, read and deleted; no registry is made by looking for one."""
    file = file_of(url)
    if file and not file.exists():
        mend = (
            "Set INTERLOCK_REGISTRY to the one that workers use, or make it with `interlock setup` or `interlock up`."
        )
        return problem(f"there is no registry at {url}", mend)
    store = open_store(url, clock=clock)
    return _probed(store, url, clock)


def table(url: str) -> Verdict:
    """Of DynamoDB alone. Workers need no right to see this; without it nothing is said."""
    from interlock.registry.dynamodb import DynamoDbStore  # noqa: PLC0415 - boto3 is slow: only those who use it pay

    store = open_store(url)
    if not isinstance(store, DynamoDbStore):
        return not_checked("not a DynamoDB table")
    try:
        complaints = store.complaints()
    except AwsCredentialsError:
        return not_checked("we may not describe the table", "Allow dynamodb:DescribeTable and DescribeTimeToLive.")
    return ok_unless(complaints, "Run `interlock setup`.", seen="its index is active, and old items expire")


def _probed(store: Store, url: str, clock: Clock) -> Verdict:
    key, word = Key(f"DOCTOR#{uuid.uuid4().hex}", "PROBE"), uuid.uuid4().hex
    expires_at = clock() + _PROBE_LIVES
    store.transact([Put(key=key, attributes={"word": word}, expect=ABSENT, expires_at=expires_at)])
    try:
        item = store.get(key)
    finally:
        store.transact([Delete(key=key, expect=None)])
    if item is None or item.attributes != {"word": word}:
        return problem(f"{url} does not give back what was written", "Restore it from a backup, or report this.")
    return ok(f"{url} takes a probe, gives it back and forgets it")
